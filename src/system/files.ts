import {
  closeSync,
  fsyncSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { threadId } from "node:worker_threads";
import { AlexnetError } from "../errors.js";

/** The names of files being written end so; after a crash they are rubbish. */
export const UNFINISHED = ".part";

/** A file that nobody has written to for so many milliseconds is not being written any more. */
const LONG_AGO = 3_600_000;

let written = 0;

/** A name beside `path` that no other process or thread takes: "model.npy.4711-0-1.part". */
export function unfinishedName(path: string): string {
  return `${path}.${process.pid}-${threadId}-${++written}${UNFINISHED}`;
}

/** Removes the files that crashes left in a folder while they were written whole. */
export function removeLeftovers(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (!/\.\d+-\d+-\d+\.part$/.test(name)) continue;
    const path = join(folder, name);
    const { mtimeMs = Number.POSITIVE_INFINITY } = statSync(path, { throwIfNoEntry: false }) ?? {};
    if (mtimeMs < Date.now() - LONG_AGO) rmSync(path, { force: true });
  }
}

const CHUNK = 1 << 28; // write calls are cut below the system's 2 GiB limit

/**
 * Writes a file whole or not at all, also when the machine loses power: beside, fsync, rename, fsync of the folder. Of
 * several writers at once the last to end counts. A link's target is written, not the link replaced; pipes and devices are
 * written to as they are.
 * @throws AlexnetError "disk" saying why it can't be written; a file is as it was then.
 */
export function writeWhole(path: string, contents: string | readonly Uint8Array[]): void {
  const parts = typeof contents === "string" ? [new TextEncoder().encode(contents)] : contents;
  try {
    const { target, isSpecial } = destinationOf(path);
    if (isSpecial) writeTo(target, parts);
    else writeBeside(target, parts);
  } catch (error) {
    throw explainDisk(error, path);
  }
}

function writeTo(path: string, parts: readonly Uint8Array[]): void {
  const file = openSync(path, "w");
  try {
    writeParts(file, parts);
  } finally {
    closeSync(file);
  }
}

function writeBeside(path: string, parts: readonly Uint8Array[]): void {
  const beside = unfinishedName(path);
  let isThere = false;
  try {
    const file = openSync(beside, "w");
    isThere = true;
    try {
      writeParts(file, parts);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(beside, path);
    syncFolder(dirname(path));
  } catch (error) {
    if (isThere) rmSync(beside, { force: true });
    throw error;
  }
}

/** Where a path leads, and whether that is a pipe or a device. */
export function destinationOf(path: string): { readonly target: string; readonly isSpecial: boolean } {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return { target: linkTarget(path), isSpecial: false };
  const isSpecial = !found.isFile() && !found.isDirectory();
  return { target: isSpecial ? path : realpathSync(path), isSpecial }; // /dev/stdout leads to what has no name
}

/** What a link leads to that leads to nothing yet; other paths are themselves. */
function linkTarget(path: string): string {
  const isLink = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
  return isLink ? resolve(dirname(path), readlinkSync(path)) : path;
}

/** Writes to an open file from its current position. */
export function writeParts(file: number, parts: readonly Uint8Array[]): void {
  for (const part of parts)
    for (let done = 0; done < part.length; )
      done += writeSync(file, part, done, Math.min(CHUNK, part.length - done), null);
}

/** Makes `path` a symbolic link to `target`, a name beside it; whole or not at all. @throws as `writeWhole` */
export function pointTo(path: string, target: string): void {
  const beside = unfinishedName(path);
  try {
    symlinkSync(target, beside);
    renameSync(beside, path);
    syncFolder(dirname(path));
  } catch (error) {
    throw explainDisk(error, path);
  }
}

/** Makes names in a folder last: renames and new files count only once their folder is synced. */
export function syncFolder(path: string): void {
  if (process.platform === "win32") return; // folders can't be synced there
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** Why a file or folder can't be written, by the system's codes. */
const reasons: Readonly<Record<string, string>> = {
  ENOENT: "no such folder",
  EACCES: "no permission",
  EPERM: "no permission",
  EROFS: "the disk is read-only",
  ENOTDIR: "a file is where a folder should be",
  EISDIR: "a folder is there",
  EEXIST: "a file is there",
  ENAMETOOLONG: "the name is too long",
  ELOOP: "links that lead in a circle",
};
const full: ReadonlySet<string | undefined> = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);

/** What the disk refused to write becomes an error for people; everything else stays what it is. */
export function explainDisk(error: unknown, path: string): unknown {
  const code = errnoOf(error) ?? "";
  if (full.has(code))
    return new AlexnetError("disk", `${path}: no room on the disk (${code}); make room and go on`, { cause: error });
  const reason = Object.hasOwn(reasons, code) ? reasons[code] : undefined;
  return reason === undefined
    ? error
    : new AlexnetError("disk", `${path}: can't be written (${reason})`, { cause: error });
}

/** "ENOENT" and the like, of errors that come from the system. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

/** A JSON file's value. @throws AlexnetError "not-found" when it isn't there, "damaged-file" when it isn't JSON. */
export function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    if (errnoOf(error) === "ENOENT") throw new AlexnetError("not-found", `${path}: no such file`, { cause: error });
    const what = error instanceof Error ? error.message : String(error);
    throw new AlexnetError("damaged-file", `${path}: can't be read (${what})`, { cause: error });
  }
}
