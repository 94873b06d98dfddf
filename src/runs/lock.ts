import { closeSync, constants, existsSync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
import { hostname } from "node:os";
import { dirname } from "node:path";
import { AlexnetError } from "../errors.js";
import { lockFile } from "../system/file-lock.js";
import { explainDisk } from "../system/files.js";

export interface RunLock {
  /** Who held the lock before and ended without giving it back: "process 4711 on host". */
  readonly abandonedBy: string | undefined;
  release(): void;
}

/**
 * One trainer a run folder: an flock(2) on the file, which the system gives up with the process however it ends, so
 * that a lock is never stale. The file's text names the holder.
 * @throws AlexnetError "run" naming the process that holds it.
 */
export function lockRun(path: string): RunLock {
  const file = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o644);
  try {
    const holder = readFileSync(path, "utf8").trim();
    if (!takeLock(file))
      throw new AlexnetError(
        "in-use",
        `${dirname(path)}: ${holder || "another process"} is training this run; stop it first, or choose another --run`,
      );
    writeHolder(file, path);
    return {
      abandonedBy: holder === "" ? undefined : holder,
      release() {
        ftruncateSync(file);
        closeSync(file);
      },
    };
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

function writeHolder(file: number, path: string): void {
  try {
    ftruncateSync(file);
    writeSync(file, `process ${process.pid} on ${hostname()}\n`, 0);
  } catch (error) {
    throw explainDisk(error, path);
  }
}

export interface LockHolder {
  readonly process: number;
  readonly host: string;
}

/** Whom a lock's file names: who holds it now, or held it last and ended without giving it back. */
export function lockHolder(path: string): LockHolder | undefined {
  if (!existsSync(path)) return undefined;
  const match = /^process (\d+) on (.+)$/.exec(readFileSync(path, "utf8").trim());
  const [, process, host] = match ?? [];
  return process === undefined || host === undefined ? undefined : { process: Number(process), host };
}

function takeLock(file: number): boolean {
  const outcome = lockFile(file);
  if (typeof outcome === "boolean") return outcome;
  throw new AlexnetError("disk", `flock failed with errno ${outcome.errno}; choose a --run folder on a local disk`);
}
