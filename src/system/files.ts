import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, symlinkSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { AlexnetError } from "../errors.js";

/** Files being written are named so; after a crash they are rubbish. */
export const UNFINISHED = ".part";

const CHUNK = 1 << 28; // write calls are cut below the system's 2 GiB limit

/**
 * Writes a file whole or not at all, also when the machine loses power: beside, fsync, rename, fsync of the folder.
 * @throws AlexnetError "run" when the disk is full; the file is as it was then.
 */
export function writeWhole(path: string, contents: string | readonly Uint8Array[]): void {
  const beside = path + UNFINISHED;
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
  const beside = path + UNFINISHED;
  rmSync(beside, { force: true });
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
