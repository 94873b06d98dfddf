import { existsSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";

/** The libraries this engine stands on: what their files are called, newest first, and what to install. */
export const libraries = {
  driver: {
    title: "NVIDIA's driver",
    files: ["libcuda.so.1"],
    install:
      "install NVIDIA's driver, 525 or newer, from your system's packages; in a container, start it with --gpus all",
  },
  nvrtc: {
    title: "NVRTC",
    files: ["libnvrtc.so.13", "libnvrtc.so.12"],
    install: "install the CUDA toolkit 12 or newer, or `pip install nvidia-cuda-nvrtc-cu12`",
  },
  cublasLt: {
    title: "cuBLASLt",
    files: ["libcublasLt.so.13", "libcublasLt.so.12"],
    install: "install the CUDA toolkit 12 or newer, or `pip install nvidia-cublas-cu12`",
  },
  cudnn: {
    title: "cuDNN 9",
    files: ["libcudnn.so.9"],
    install: "install cuDNN 9 from NVIDIA's packages, or `pip install nvidia-cudnn-cu12`",
  },
} as const;
export type LibraryName = keyof typeof libraries;

/** CUDA 13's driver runs libraries of 12 too, not the other way round. */
const CUDA_13 = 13_000;

/**
 * Where a library may be, in order: folders of ALEXNET_CUDA_PATH, the system's loader, Python's nvidia-* wheels.
 * A path is there; a bare name is for the system's loader to find.
 */
export function candidates(name: LibraryName, driverVersion = Number.POSITIVE_INFINITY): readonly string[] {
  const files = libraries[name].files.filter((file) => driverVersion >= CUDA_13 || !file.endsWith(".13"));
  const inside = (folders: readonly string[]): readonly string[] =>
    files.flatMap((file) => folders.map((folder) => join(folder, file)).filter(existsSync));
  return [...inside(chosenFolders()), ...files, ...(name === "driver" ? [] : inside(wheelFolders()))];
}

/** Folders that ALEXNET_CUDA_PATH names, and where a CUDA toolkit has its libraries below them. */
function chosenFolders(): readonly string[] {
  const chosen = (process.env.ALEXNET_CUDA_PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  return chosen.flatMap((folder) => [
    folder,
    join(folder, "lib64"),
    join(folder, "lib"),
    join(folder, "targets", `${process.arch === "arm64" ? "sbsa" : "x86_64"}-linux`, "lib"),
    ...nvidiaFolders(folder),
  ]);
}

/** nvidia/<package>/lib of the Python environments there are: the active one, those of `python3` on the path, the user's. */
export function wheelFolders(): readonly string[] {
  const { VIRTUAL_ENV, CONDA_PREFIX, PATH = "" } = process.env;
  const prefixes = [VIRTUAL_ENV, CONDA_PREFIX, ...PATH.split(delimiter).map(dirname), join(homedir(), ".local")];
  const known = prefixes.flatMap((prefix) => {
    if (prefix === undefined || prefix === ".") return [];
    return [prefix, ...children(join(prefix, "versions"), /^3/)]; // pyenv has its environments there
  });
  return [...new Set(known)].flatMap((prefix) =>
    children(join(prefix, "lib"), /^python3/).flatMap((python) =>
      ["site-packages", "dist-packages"].flatMap((packages) => nvidiaFolders(join(python, packages))),
    ),
  );
}

function nvidiaFolders(packages: string): readonly string[] {
  return children(join(packages, "nvidia"), /./)
    .map((folder) => join(folder, "lib"))
    .filter(existsSync);
}

function children(folder: string, pattern: RegExp): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => pattern.test(name))
      .sort()
      .map((name) => join(folder, name));
  } catch {
    return []; // no such folder, or not ours to read
  }
}

/** What was looked through for a library, for people. */
export function whereLooked(name: LibraryName): string {
  const chosen = process.env.ALEXNET_CUDA_PATH;
  const own = chosen ? `ALEXNET_CUDA_PATH=${chosen}` : "ALEXNET_CUDA_PATH (folders to look in first; not set)";
  if (name === "driver") return `${own} and the system's loader`;
  const wheels = wheelFolders();
  return `${own}, the system's loader, and Python's nvidia-* packages (${wheels.length === 0 ? "none found" : wheels.join(", ")})`;
}
