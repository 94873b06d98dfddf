import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** A library file of oneDNN. */
export interface LibraryFile {
  /** As the system's linker finds it: "/usr/lib/x86_64-linux-gnu/libdnnl.so.3.6". */
  readonly path: string;
  /** By its name once links are followed: [3, 7]; empty where the name tells none. */
  readonly version: readonly number[];
}

/** Where oneDNN is looked for: the folders of the system's linker, and how its file is called there. */
export interface System {
  readonly platform: NodeJS.Platform;
  readonly folders: readonly string[];
}

const fileNames: Partial<Record<NodeJS.Platform, RegExp>> = {
  darwin: /^libdnnl(?:\.\d+)*\.dylib$/,
  win32: /^dnnl\.dll$/i,
};
const ELF_NAME = /^libdnnl\.so(?:\.\d+)*$/;

/**
 * The library files of some folders, by looking: what the file is called differs from release to release
 * (libdnnl.so.2, libdnnl.so.3, libdnnl.so.3.6). Each file once, the better version first.
 */
export function libraryFiles({ platform, folders }: System): readonly LibraryFile[] {
  const pattern = fileNames[platform] ?? ELF_NAME;
  const found = new Map<string, LibraryFile>();
  for (const folder of folders)
    for (const name of namesIn(folder).filter((candidate) => pattern.test(candidate))) {
      const path = join(folder, name);
      if (!(statSync(path, { throwIfNoEntry: false })?.size ?? 0)) continue; // a link that leads nowhere, an empty file
      const file = realpathSync(path);
      const [longer, shorter] = [versionOf(file), versionOf(path)];
      const version = longer.length >= shorter.length ? longer : shorter;
      if (!found.has(file)) found.set(file, { path, version });
    }
  return [...found.values()].sort(betterFirst);
}

/**
 * Where oneDNN may be, in the order in which it is tried: the user's word, a copy unpacked below the project, what the
 * system has, what its loader finds besides.
 */
export function candidates(): readonly string[] {
  const chosen = process.env.ALEXNET_ONEDNN_PATH;
  const inFolders = (folders: readonly string[]) =>
    libraryFiles({ platform: process.platform, folders }).map(({ path }) => path);
  if (chosen !== undefined && chosen !== "")
    return statSync(chosen, { throwIfNoEntry: false })?.isDirectory() ? inFolders([chosen]) : [chosen];
  return [
    ...inFolders(unpackedFolders()),
    ...inFolders(systemFolders()),
    loaderNames[process.platform] ?? "libdnnl.so",
  ];
}

const loaderNames: Partial<Record<NodeJS.Platform, string>> = { darwin: "libdnnl.dylib", win32: "dnnl.dll" };

/** The files that are there: the first of them that loads is used. */
export function installedLibraries(): readonly string[] {
  return candidates().filter((path) => existsSync(path));
}

/**
 * Major version 2 before 3, as far as processors are known on which the two were compared (docs/performance.md); within
 * one the newest first.
 */
function betterFirst(a: LibraryFile, b: LibraryFile): number {
  const [majorA, majorB] = [a, b].map(({ version: [major] }) =>
    major === undefined ? Number.POSITIVE_INFINITY : major,
  );
  if (majorA !== majorB) return process.arch === "x64" ? majorA - majorB : majorB - majorA;
  for (let i = 1; i < Math.max(a.version.length, b.version.length); i++) {
    const difference = (b.version[i] ?? 0) - (a.version[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** "libdnnl.so.3.6": [3, 6]; "libdnnl.3.6.dylib": [3, 6] */
function versionOf(path: string): readonly number[] {
  const [, digits = ""] = /libdnnl(?:\.so)?((?:\.\d+)+)(?:\.dylib)?$/.exec(path) ?? [];
  return digits.split(".").filter(Boolean).map(Number);
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // not there, or not ours to look into
  }
}

const packageRoot = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "..", "..");

/** Folders of libraries that set-up unpacked where it could not install (Debian's layout). */
export function unpackedFolders(): readonly string[] {
  const usr = join(packageRoot, ".native", "usr", "lib");
  return existsSync(usr) ? [usr, ...namesIn(usr).map((triplet) => join(usr, triplet))] : [];
}

/** Where the system's linker looks, and where packages put libraries that it doesn't. */
export function systemFolders(): readonly string[] {
  const { platform, env } = process;
  const listed = (variable: string | undefined): readonly string[] => (variable ?? "").split(delimiter).filter(Boolean);
  if (platform === "win32") return listed(env.PATH ?? env.Path);
  if (platform === "darwin")
    return [...listed(env.DYLD_LIBRARY_PATH), "/opt/homebrew/lib", "/usr/local/lib", "/opt/local/lib"];
  const triplets = namesIn("/usr/lib").filter((name) => name.includes("-linux-"));
  const usual = [...triplets.map((triplet) => join("/usr/lib", triplet)), "/usr/lib64", "/usr/lib", "/lib64", "/lib"];
  return [...listed(env.LD_LIBRARY_PATH), ...linkerFolders(), ...usual, "/usr/local/lib64", "/usr/local/lib"];
}

/** Of libdnnl in the linker's cache, which may be in folders of the administrator's choice. */
function linkerFolders(): readonly string[] {
  const ldconfig = ["/sbin/ldconfig", "/usr/sbin/ldconfig"].find(existsSync);
  if (ldconfig === undefined) return [];
  try {
    const cache = execFileSync(ldconfig, ["-p"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    return [...cache.matchAll(/^\s*libdnnl\.so\S* .*=> (\S+)$/gm)].map(([, path = ""]) => dirname(path));
  } catch {
    return []; // musl's prints none
  }
}

/** `ID`, `VERSION_ID` and others of the file /etc/os-release. */
type Release = Readonly<Record<string, string>>;

/** How oneDNN is installed on this system: "install it with `sudo apt install libdnnl3.6`". */
export function howToInstall(): string {
  return installation(process.platform, readRelease(), aptPackages());
}

/**
 * @param available packages with the library that the system's package lists name; none where there are no lists
 */
export function installation(
  platform: NodeJS.Platform,
  { ID = "", ID_LIKE = "", VERSION_ID = "" }: Release,
  available: readonly string[],
): string {
  if (platform === "darwin") return "install it with `brew install onednn`";
  if (platform === "win32") return "put oneDNN's dnnl.dll, a build for OpenMP, into a folder of PATH";
  const is = (name: string): boolean => [ID, ...ID_LIKE.split(" ")].includes(name);
  if (is("debian") || is("ubuntu")) {
    const [newest = debianPackage(ID, Number(VERSION_ID))] = available;
    return newest === undefined
      ? "install the package that `apt-cache search libdnnl` names"
      : `install it with \`sudo apt install ${newest}\``;
  }
  const command = Object.entries(commands).find(([name]) => is(name))?.[1];
  return command === undefined ? "install your system's package of oneDNN" : `install it with \`${command}\``;
}

const commands: Readonly<Record<string, string>> = {
  fedora: "sudo dnf install onednn",
  arch: "sudo pacman -S onednn",
  suse: "sudo zypper install libdnnl3",
  opensuse: "sudo zypper install libdnnl3",
  alpine: "apk add onednn",
};

/** The package of releases that are known, for where the package lists are empty, as in containers. */
function debianPackage(id: string, version: number): string | undefined {
  const known = Object.entries(packages[id] ?? {}).find(([, versions]) => versions.includes(Math.floor(version)));
  return known?.[0];
}

const packages: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>> = {
  debian: { libdnnl2: [11, 12], "libdnnl3.6": [13] },
  ubuntu: { libdnnl2: [22], libdnnl3: [24] },
};

/** The newest first. */
function aptPackages(): readonly string[] {
  try {
    const listed = execFileSync("apt-cache", ["search", "-n", "^libdnnl[23]([.][0-9]+)*(t64)?$"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    const names = listed.split("\n").flatMap((line) => line.split(" ")[0] || []);
    return names.sort((a, b) => b.localeCompare(a, "en", { numeric: true }));
  } catch {
    return []; // no apt here
  }
}

function readRelease(): Release {
  const path = ["/etc/os-release", "/usr/lib/os-release"].find(existsSync);
  const text = path === undefined ? "" : readFileSync(path, "utf8");
  return Object.fromEntries([...text.matchAll(/^(\w+)=["']?(.*?)["']?$/gm)].map(([, name, value]) => [name, value]));
}
