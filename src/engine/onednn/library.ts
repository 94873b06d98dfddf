import { existsSync, readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import koffi, { type LibraryHandle } from "koffi";
import { AlexnetError } from "../../errors.js";
import { bindCommon, type CommonBindings, type OperationBindings, type Pointer } from "./bindings.js";
import { bindV2 } from "./v2.js";
import { bindV3 } from "./v3.js";

/** Major versions this project speaks, with what binds their operations. */
const versions: Readonly<Record<number, (library: LibraryHandle, engine: Pointer) => OperationBindings>> = {
  2: bindV2,
  3: bindV3,
};

export type Bindings = CommonBindings & OperationBindings;

export interface Library {
  readonly bindings: Bindings;
  readonly engine: Pointer;
  readonly stream: Pointer;
  /** "2.6.3" */
  readonly version: string;
  readonly instructionSet: string;
  readonly threads: number;
  close(): void;
}

/**
 * Opens oneDNN for the calling thread, which must be the one that computes: OpenMP's workers belong to it.
 * @throws AlexnetError "engine" naming all that was tried and what to install.
 */
export function openLibrary(threads = availableParallelism()): Library {
  const handle = load();
  const version = readVersion(handle);
  const bindOperations = versions[version.major];
  if (bindOperations === undefined)
    throw new AlexnetError(
      "engine",
      `oneDNN ${version.text}: major version ${version.major} is not supported; install one of ${Object.keys(versions).join(", ")}`,
    );
  setThreads(threads);
  const common = bindCommon(handle);
  const engine = createEngine(common, version.text);
  const stream = common.createStream(engine);
  return {
    bindings: { ...common, ...bindOperations(handle, engine) },
    engine,
    stream,
    version: version.text,
    instructionSet: readInstructionSet(handle),
    threads,
    close() {
      common.destroyStream(stream);
      common.destroyEngine(engine);
    },
  };
}

function createEngine(bindings: CommonBindings, version: string): Pointer {
  try {
    return bindings.createEngine();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new AlexnetError(
      "engine",
      `oneDNN ${version} gives no CPU engine (${reason}): is it a build for SYCL? Those are not supported; ${howToInstall()}`,
    );
  }
}

const packageRoot = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "..");

/** Where oneDNN may be, in order: the user's word, a copy unpacked below the project, the system. */
function candidates(): readonly string[] {
  const names =
    process.platform === "darwin"
      ? ["libdnnl.dylib", "/opt/homebrew/lib/libdnnl.dylib", "/usr/local/lib/libdnnl.dylib"]
      : ["libdnnl.so.2", "libdnnl.so.3", "libdnnl.so"];
  const chosen = process.env.ALEXNET_ONEDNN_PATH;
  if (chosen !== undefined && chosen !== "") return [chosen];
  const local = localFolders().flatMap((folder) => names.map((name) => join(folder, name)).filter(existsSync));
  return [...local, ...names];
}

/** Folders of libraries that set-up unpacked where it could not install (Debian's layout). */
function localFolders(): readonly string[] {
  const usr = join(packageRoot, ".native", "usr", "lib");
  if (!existsSync(usr)) return [];
  return [usr, ...readdirSync(usr).map((triplet) => join(usr, triplet))];
}

function load(): LibraryHandle {
  const tried: string[] = [];
  // Libraries that oneDNN links to; found by their names once loaded.
  for (const folder of localFolders())
    for (const name of ["libgomp.so.1", "libOpenCL.so.1"])
      if (existsSync(join(folder, name))) koffi.load(join(folder, name), { global: true });
  for (const path of candidates()) {
    try {
      const handle = koffi.load(path);
      pin(path);
      return handle;
    } catch (error) {
      tried.push(error instanceof Error ? error.message : String(error));
    }
  }
  throw new AlexnetError(
    "engine",
    `oneDNN could not be loaded; ${howToInstall()}, or set ALEXNET_ONEDNN_PATH to the library file. Tried:\n  ${tried.join("\n  ")}`,
  );
}

/**
 * Keeps a library in memory after the compute thread has ended: koffi unloads what a thread had loaded, but OpenMP's
 * pooled threads may still be running its code.
 */
function pin(path: string): void {
  const [system, flags] = process.platform === "darwin" ? ["libSystem.B.dylib", 0x82] : ["libc.so.6", 0x1002];
  koffi.load(system).func("dlopen", "void *", ["str", "int"])(path, flags); // RTLD_NOW | RTLD_NODELETE
}

function howToInstall(): string {
  if (process.platform === "darwin") return "install it with `brew install onednn`";
  return "install it with `apt install libdnnl2` (Debian, Ubuntu; newer releases: libdnnl3), or your system's oneDNN package";
}

function readVersion(handle: LibraryHandle): { readonly major: number; readonly text: string } {
  const dnnlVersion: () => Pointer = handle.func("dnnl_version", "void *", []);
  const [major, minor, patch] = new Int32Array(koffi.view(dnnlVersion(), 12));
  return { major, text: `${major}.${minor}.${patch}` };
}

const instructionSets: readonly (readonly [number, string])[] = [
  [0x3e7, "AVX-512 with AMX"],
  [0xe7, "AVX-512 with bfloat16"],
  [0x67, "AVX-512 with VNNI"],
  [0x27, "AVX-512"],
  [0x407, "AVX2 with VNNI"],
  [0x7, "AVX2"],
  [0x3, "AVX"],
  [0x1, "SSE4.1"],
];

function readInstructionSet(handle: LibraryHandle): string {
  const effective: () => number = handle.func("dnnl_get_effective_cpu_isa", "int", []);
  const isa = effective();
  return instructionSets.find(([mask]) => (isa & mask) === mask)?.[1] ?? "generic";
}

/** The number of threads of the calling thread's OpenMP regions. */
function setThreads(threads: number): void {
  const names =
    process.platform === "darwin" ? ["libomp.dylib", "/opt/homebrew/opt/libomp/lib/libomp.dylib"] : ["libgomp.so.1"];
  for (const name of names) {
    try {
      koffi.load(name).func("omp_set_num_threads", "void", ["int"])(threads);
      return;
    } catch {
      // Not this one: a oneDNN built with another threading runtime decides by itself.
    }
  }
}
