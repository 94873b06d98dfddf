import { accessSync, constants, mkdirSync, statfsSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism, freemem, totalmem } from "node:os";
import { installedMpi } from "../distributed/mpi/library.js";
import type { Engine } from "../engine/engine.js";
import { adviceOn, installedLibraries, takeInventory } from "../engine/host/inventory.js";
import { openEngine } from "../engine/host/open.js";
import { compareSteps, isClose } from "../engine/host/self-check.js";
import { AlexnetError, type Hint } from "../errors.js";
import { canDecodeHeic } from "../images/decode/heic.js";
import { findTurbojpeg } from "../images/decode/turbojpeg.js";
import { paper } from "../network/architectures/paper.js";
import { scaleWidth, withClasses } from "../network/transform.js";
import { cacheFolder } from "../system/cache-folder.js";
import { byteSize, counted } from "../text.js";
import { installOneDnn } from "./install.js";

/** One thing that training stands on, or would gain by. */
export interface Finding {
  /** "oneDNN" */
  readonly part: string;
  /** "missing" is something that training can do without; "failed" keeps it from working. */
  readonly state: "ok" | "missing" | "failed";
  /** What was found, or what is wrong: "2.6.3 at /usr/lib/libdnnl.so.2". */
  readonly found: string;
  /** Ways out of what failed. */
  readonly hints: readonly Hint[];
}

export interface Diagnosis {
  /** Whether a network was trained here for a few steps, as the reference engine does, and nothing else failed. */
  readonly canTrain: boolean;
  readonly findings: readonly Finding[];
}

export interface DoctorOptions {
  /** Install oneDNN where it is missing: by the system's packages, or below this package where that takes no root. */
  readonly install?: boolean;
}

/** Every kind of layer at the paper's sizes of maps, narrow enough for the reference engine to take a second. */
const tried = withClasses(scaleWidth(paper, 1 / 8), 16);
const OLDEST_NODE = [20, 9] as const;
const BATCH = 128;

/**
 * Looks at what this machine has, and trains a small network for a few steps beside the reference engine.
 * @throws AlexnetError "engine" where oneDNN was to be installed and could not be
 */
export async function doctor({ install = false }: DoctorOptions = {}): Promise<Diagnosis> {
  if (install && installedLibraries().length === 0) await installOneDnn();
  const findings = [
    node(),
    machine(),
    ...packages(),
    ...(await computing()),
    attempt("JPEG", jpeg),
    attempt("HEIC", heic),
    attempt("GPU", gpu),
    attempt("MPI", mpi),
    cache(),
  ];
  return { canTrain: findings.every(({ state }) => state !== "failed"), findings };
}

const ok = (part: string, found: string): Finding => ({ part, state: "ok", found, hints: [] });
const missing = (part: string, found: string): Finding => ({ part, state: "missing", found, hints: [] });

function failed(part: string, error: unknown): Finding {
  if (error instanceof AlexnetError) return { part, state: "failed", found: error.problem, hints: error.hints };
  const [line = ""] = (error instanceof Error ? error.message : String(error)).split("\n");
  return { part, state: "failed", found: line, hints: [] };
}

function attempt(part: string, look: () => Finding): Finding {
  try {
    return look();
  } catch (error) {
    return failed(part, error);
  }
}

function node(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_NODE;
  const isOld = major < oldestMajor || (major === oldestMajor && minor < oldestMinor);
  const version = process.versions.node;
  return isOld
    ? failed("Node.js", `${version} is too old; install ${OLDEST_NODE.join(".")} or newer`)
    : ok("Node.js", version);
}

function machine(): Finding {
  const memory = `${byteSize(totalmem())} of memory, ${byteSize(freemem())} free`;
  return ok("machine", `${process.platform} ${process.arch}, ${counted(availableParallelism(), "core")}, ${memory}`);
}

/** npm packages that bring native code, each built for some systems. */
function packages(): readonly Finding[] {
  const require = createRequire(import.meta.url);
  return ["koffi", "lmdb", "sharp"].map((name) =>
    attempt(name, () => {
      require(name);
      return ok(name, "loads");
    }),
  );
}

/** The engine that training would take, what it was found to compute, and the memory it needs at full size. */
async function computing(): Promise<readonly Finding[]> {
  let engine: Engine;
  try {
    engine = await openEngine("auto");
  } catch (error) {
    return [failed("engine", error)];
  }
  try {
    const { library, instructionSet, precision, threads } = engine.description;
    const [file, ...others] = installedLibraries();
    const from =
      engine.description.engine === "onednn" && file !== undefined && others.length === 0 ? ` (${file})` : "";
    const advice = adviceOn(engine.description);
    const how = `${instructionSet}, ${precision}, ${counted(threads, "thread")}`;
    return [
      ok("engine", `${library}${from}, ${how}${advice === undefined ? "" : `; ${advice}`}`),
      await training(engine),
      await memory(engine),
    ];
  } finally {
    await engine.close();
  }
}

async function training(engine: Engine): Promise<Finding> {
  const reference = await openEngine("reference");
  try {
    let worst = 0;
    const candidate = { engine, precision: engine.description.precision };
    for await (const comparison of compareSteps([candidate], reference, tried)) {
      const { what, error } = comparison;
      if (!isClose(comparison))
        return failed("training", `${what} is off by ${error.toPrecision(2)}: this machine's library computes wrong`);
      worst = Math.max(worst, error);
    }
    return ok(
      "training",
      `three steps of a small network agree with the reference engine to ${worst.toExponential(0)}`,
    );
  } catch (error) {
    return failed("training", error);
  } finally {
    await reference.close();
  }
}

/** Too little of it is no failure: smaller batches and narrower networks take less. */
async function memory(engine: Engine): Promise<Finding> {
  const needed = await engine.estimateMemory(paper, { batchSize: BATCH, mode: "train" });
  const what = `the paper's network in batches of ${BATCH} takes ${byteSize(needed)} to train`;
  return needed < freemem()
    ? ok("memory", what)
    : missing("memory", `${what}: more than is free; a smaller batch takes less`);
}

function jpeg(): Finding {
  const library = findTurbojpeg();
  return library === undefined
    ? missing("JPEG", "no libjpeg-turbo: sharp reads JPEGs, half as fast")
    : ok("JPEG", `libjpeg-turbo (${library.name})`);
}

function heic(): Finding {
  return canDecodeHeic()
    ? ok("HEIC", "read by libheif-js")
    : missing("HEIC", "iPhones' pictures are not read: npm install libheif-js");
}

function gpu(): Finding {
  const { devices, missing: lacking } = takeInventory();
  if (devices.length === 0) return missing("GPU", "none that can be used; the processor trains");
  const names = devices.map(({ name }) => name).join(", ");
  return lacking.length === 0 ? ok("GPU", names) : missing("GPU", `${names}, but ${lacking[0]?.replace(/\n.*/s, "")}`);
}

function mpi(): Finding {
  const library = installedMpi();
  return library === undefined
    ? missing("MPI", "none: only training on several machines needs it")
    : ok("MPI", library);
}

function cache(): Finding {
  const folder = cacheFolder();
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? ` (${error.code})` : "";
    return failed("cache", `${folder} can't be written${code}; set ALEXNET_CACHE to a folder that can`);
  }
  const { bavail, bsize } = statfsSync(folder);
  return ok("cache", `${folder}, ${byteSize(bavail * bsize)} free for prepared pictures`);
}
