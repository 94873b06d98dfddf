import {
  closeSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { threadId } from "node:worker_threads";
import { AlexnetError } from "../errors.js";

/** The names of files being written end so; after a crash they are rubbish. */
export const UNFINISHED = ".part";

/** A file that nobody has written to for so many milliseconds is not being written any more. */
const LONG_AGO = 3_600_000;

let written = 0;

/** A name beside `path` that no other process or thread takes: "model.npy.4711-0-1.part". */
function unfinishedName(path: string): string {
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
 * Writes a file whole or not at all, also when the machine loses power: beside, fsync, rename, fsync of the folder.
 * Of several writers at once the last to end counts.
 * @throws AlexnetError "run" when the disk is full; the file is as it was then.
 */
export function writeWhole(path: string, contents: string | readonly Uint8Array[]): void {
  const beside = unfinishedName(path);
  try {
    const file = openSync(beside, "w");
    try {
      writeParts(file, typeof contents === "string" ? [new TextEncoder().encode(contents)] : contents);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(beside, path);
    syncFolder(dirname(path));
  } catch (error) {
    rmSync(beside, { force: true });
    throw explainDisk(error, path);
  }
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

/** A full disk or quota becomes an error for people; everything else stays what it is. */
export function explainDisk(error: unknown, path: string): unknown {
  const code = errnoOf(error);
  if (code !== "ENOSPC" && code !== "EDQUOT" && code !== "EFBIG") return error;
  return new AlexnetError("disk", `${path}: no room on the disk (${code}); make room and go on`, { cause: error });
}

/** "ENOENT" and the like, of errors that come from the system. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

/** A JSON file's value. @throws AlexnetError "run" when it isn't there or isn't JSON. */
export function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    const what = errnoOf(error) === "ENOENT" ? "no such file" : `can't be read (${(error as Error).message})`;
    throw new AlexnetError("damaged-file", `${path}: ${what}`, { cause: error });
  }
}
