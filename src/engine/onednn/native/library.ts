import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { AlexnetError, type CallHint } from "../../../errors.js";
import { findLibrary, keepLoaded, type NativeLibrary } from "../../../system/native/library.js";
import { memoryAt } from "../../../system/native/memory.js";
import { Owner } from "../../../system/native/objects.js";
import { Team } from "../rows/team.js";
import {
  type Bindings,
  bindCommon,
  bindFunctions,
  type CommonFunctions,
  type Context,
  type DnnlEngine,
  type OperationBindings,
} from "./bindings.js";
import { candidates, howToInstall, installedLibraries, unpackedFolders } from "./find.js";
import { commonLayouts, DNNL, type InstructionSets, instructionSets2, instructionSets3 } from "./signatures.js";
import { bindV2 } from "./v2.js";
import { bindV3 } from "./v3.js";

/** What differs between the major versions that this project speaks. */
interface MajorVersion {
  readonly bind: (library: NativeLibrary) => (context: Context) => OperationBindings;
  readonly instructionSets: InstructionSets;
}

const versions: Readonly<Record<number, MajorVersion>> = {
  2: { bind: bindV2, instructionSets: instructionSets2 },
  3: { bind: bindV3, instructionSets: instructionSets3 },
};

/** oneDNN with an engine and a stream. */
export interface Library {
  /** "2.6.3" */
  readonly version: string;
  readonly instructionSet: string;
  readonly threads: number;
  /** The same number of threads, for what is computed in TypeScript. */
  readonly team: Team;
  /** What creates objects of the library. Closed with the library at the latest. */
  scope(): Scope;
  /** Destroys all that was created by its scopes, and what it needed itself; then ends the team. */
  close(): Promise<void>;
}

/** The library for one piece of work: what its bindings create is destroyed when it is closed. */
export interface Scope extends Omit<Library, "close"> {
  readonly bindings: Bindings;
  close(): void;
}

/**
 * Opens oneDNN for the calling thread, which must be the one that computes: OpenMP's workers belong to it.
 * @throws AlexnetError "engine" naming all that was tried and what to install.
 */
export function openLibrary(threads = availableParallelism()): Library {
  const { library, common, version, major } = load();
  const bindOperations = major.bind(library);
  setThreads(threads);
  const description = {
    version,
    instructionSet: nameInstructionSet(common.dnnl_get_effective_cpu_isa(), major.instructionSets),
    threads,
    team: new Team(threads),
  };
  const root = new Owner();
  try {
    const engine = createEngine(root, common, version);
    const stream = root.create(
      "stream",
      (out) => common.dnnl_stream_create(out, engine, DNNL.dnnl_stream_in_order),
      common.dnnl_stream_destroy,
    );
    const openScope = (owner: Owner): Scope => {
      const context = { engine, owner, common };
      return {
        ...description,
        bindings: { ...bindCommon(context, stream), ...bindOperations(context) },
        scope: () => openScope(owner.scope()),
        close: () => owner.close(),
      };
    };
    return {
      ...description,
      scope: () => openScope(root.scope()),
      async close() {
        root.close();
        await description.team.close();
      },
    };
  } catch (error) {
    root.close();
    throw error;
  }
}

function createEngine(owner: Owner, common: CommonFunctions, version: string): DnnlEngine {
  try {
    return owner.create(
      "engine",
      (out) => common.dnnl_engine_create(out, DNNL.dnnl_cpu, 0),
      common.dnnl_engine_destroy,
    );
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new AlexnetError(
      "engine",
      `oneDNN ${version} gives no CPU engine (${reason}): is it a build for SYCL? Those are not supported; ${howToInstall()}`,
      { cause: error },
    );
  }
}

/** What was loaded: its functions, version and what there is to differ. */
interface Loaded {
  readonly library: NativeLibrary;
  readonly common: CommonFunctions;
  readonly version: string;
  readonly major: MajorVersion;
}

const installing: CallHint = { advice: "have it installed", call: "doctor", options: { install: true } };

/**
 * @throws AlexnetError "engine" with a line for each file that was tried, and how oneDNN is installed; in one sentence where
 * there is none
 */
function load(): Loaded {
  // Libraries that oneDNN links to; found by their names once loaded.
  for (const folder of unpackedFolders())
    for (const name of ["libgomp.so.1", "libOpenCL.so.1"])
      if (existsSync(join(folder, name))) findLibrary([join(folder, name)], { global: true });
  const tried: string[] = [];
  for (const candidate of candidates()) {
    const loaded = tryToLoad(candidate);
    if (typeof loaded !== "string") {
      keepLoaded(loaded.library); // OpenMP's pooled threads may still run its code once the compute thread has ended
      return loaded;
    }
    tried.push(loaded);
  }
  const advice = howToInstall();
  throw notLoaded({
    chosen: process.env.ALEXNET_ONEDNN_PATH,
    tried,
    isInstalled: installedLibraries().length > 0,
    advice,
  });
}

/** Why there is no oneDNN, and what to do: one sentence where none is on this machine. */
export function notLoaded(search: {
  /** What ALEXNET_ONEDNN_PATH says. */
  readonly chosen: string | undefined;
  readonly tried: readonly string[];
  readonly isInstalled: boolean;
  /** "install it with `sudo apt install libdnnl2`" */
  readonly advice: string;
}): AlexnetError {
  const { chosen, tried, isInstalled, advice } = search;
  if (chosen && tried.length === 0)
    return new AlexnetError(
      "engine",
      `ALEXNET_ONEDNN_PATH=${chosen}: there is no oneDNN in that folder; correct or unset it`,
    );
  if (!chosen && !isInstalled)
    return new AlexnetError(
      "engine",
      `oneDNN, which does the computing, is not on this machine; ${advice}, or set ALEXNET_ONEDNN_PATH to its file`,
      process.platform === "win32" ? {} : { hint: installing },
    );
  const way = chosen
    ? "correct or unset ALEXNET_ONEDNN_PATH"
    : `${advice}, or set ALEXNET_ONEDNN_PATH to the library file`;
  return new AlexnetError("engine", `oneDNN could not be loaded; ${way}. Tried:\n  ${tried.join("\n  ")}`);
}

/** The library, or why it can't be used. */
function tryToLoad(candidate: string): Loaded | string {
  const found = findLibrary([candidate]);
  if (!("library" in found)) return found.tried.join("\n  ");
  const { library } = found;
  try {
    const common = bindFunctions(library);
    const { major: number, text } = readVersion(common);
    const major = versions[number];
    if (major !== undefined) return { library, common, version: text, major };
    return `${candidate}: version ${text} is not supported; install one of ${Object.keys(versions).join(", ")}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function readVersion(common: CommonFunctions): { readonly major: number; readonly text: string } {
  const { size, fields } = commonLayouts.dnnl_version_t;
  const address = common.dnnl_version();
  if (address === null) throw new AlexnetError("engine", "oneDNN: dnnl_version gives nothing");
  const version = new DataView(memoryAt(address, size));
  const [major, minor, patch] = [fields.major, fields.minor, fields.patch].map((at) => version.getInt32(at, true));
  return { major, text: `${major}.${minor}.${patch}` };
}

/** The best first. */
const instructionSetNames = [
  ["dnnl_cpu_isa_avx512_core_amx", "AVX-512 with AMX"],
  ["dnnl_cpu_isa_avx512_core_bf16", "AVX-512 with bfloat16"],
  ["dnnl_cpu_isa_avx512_core_vnni", "AVX-512 with VNNI"],
  ["dnnl_cpu_isa_avx512_core", "AVX-512"],
  ["dnnl_cpu_isa_avx2_vnni", "AVX2 with VNNI"],
  ["dnnl_cpu_isa_avx2", "AVX2"],
  ["dnnl_cpu_isa_avx", "AVX"],
  ["dnnl_cpu_isa_sse41", "SSE4.1"],
] as const satisfies readonly (readonly [keyof InstructionSets, string])[];

/** The name of the best of the sets whose bits are all among `effective`. */
export function nameInstructionSet(effective: number, instructionSets: InstructionSets): string {
  const known = instructionSetNames.find(([name]) => (effective & instructionSets[name]) === instructionSets[name]);
  return known?.[1] ?? "generic";
}

/** The number of threads of the calling thread's OpenMP regions. */
function setThreads(threads: number): void {
  const names =
    process.platform === "darwin" ? ["libomp.dylib", "/opt/homebrew/opt/libomp/lib/libomp.dylib"] : ["libgomp.so.1"];
  const found = findLibrary(names);
  // Without it, it is a oneDNN built with another threading runtime, which decides by itself.
  if ("library" in found) found.library.bind({ omp_set_num_threads: ["void", "int"] }).omp_set_num_threads(threads);
}
