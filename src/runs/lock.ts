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
 * @throws AlexnetError "in-use" naming the process that holds it.
 */
export function lockRun(path: string): RunLock {
  const file = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o644);
  try {
    const holder = readFileSync(path, "utf8").trim();
    if (!takeLock(file))
      throw new AlexnetError("in-use", `${dirname(path)}: ${holder || "another process"} is training this run`, {
        hint: { advice: "stop it first, or choose another folder", option: "run" },
      });
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

/** Who trains a run now, by its lock. Of another machine only the file's text is known, which a crash leaves behind. */
export function lockHolder(path: string): LockHolder | undefined {
  if (!existsSync(path)) return undefined;
  const [, process_, host] = /^process (\d+) on (.+)$/.exec(readFileSync(path, "utf8").trim()) ?? [];
  if (process_ === undefined || host === undefined) return undefined;
  const holder = { process: Number(process_), host };
  const isHeld = process.platform === "win32" ? isAlive(holder.process) : isLocked(path);
  return isHeld || host !== hostname() ? holder : undefined;
}

/** Takes the lock for the instant that it takes to see whether it is free: `lockRun` tries more than once. */
function isLocked(path: string): boolean {
  const file = openSync(path, "r");
  try {
    return lockFile(file) === false;
  } finally {
    closeSync(file);
  }
}

function isAlive(process_: number): boolean {
  try {
    return process.kill(process_, 0);
  } catch {
    return false;
  }
}

const TRIES = 3;
const BETWEEN_TRIES = 20; // milliseconds

function takeLock(file: number): boolean {
  for (let tries = 1; ; tries++) {
    const outcome = lockFile(file);
    if (typeof outcome === "object")
      throw new AlexnetError("disk", `locking failed (flock: errno ${outcome.errno})`, {
        hint: { advice: "choose a folder on a local disk", option: "run" },
      });
    if (outcome || tries === TRIES) return outcome;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BETWEEN_TRIES);
  }
}
