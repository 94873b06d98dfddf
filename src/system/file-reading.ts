import { closeSync, constants, fstatSync, openSync, readFileSync, readSync } from "node:fs";
import { AlexnetError } from "../errors.js";

/** Opening a pipe that nobody writes to would wait for ever; Windows has neither. */
const READ = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

const CHUNK = 1 << 28; // read calls are cut below the system's 2 GiB limit

/**
 * Opens a file of somebody's for reading.
 * @throws AlexnetError "unusable-data" for pipes and devices; the system's error, which for folders comes when they are read
 */
export function openToRead(path: string): number {
  const file = openSync(path, READ);
  const found = fstatSync(file);
  if (found.isFile() || found.isDirectory()) return file;
  closeSync(file);
  throw new AlexnetError("unusable-data", "not a regular file");
}

/** All of a file of somebody's. @throws as `openToRead` */
export function readWhole(path: string): Buffer {
  const file = openToRead(path);
  try {
    return readFileSync(file);
  } finally {
    closeSync(file);
  }
}

/** Fills `into` from byte `position` of an open file on. @returns how many bytes there were, fewer at the file's end */
export function readAt(file: number, into: Uint8Array, position: number): number {
  let done = 0;
  for (let read = -1; read !== 0 && done < into.length; done += read)
    read = readSync(file, into, done, Math.min(CHUNK, into.length - done), position + done);
  return done;
}
