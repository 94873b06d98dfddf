import { errorNumber, lastErrorNumber, processLibrary } from "./native/library.js";

const LOCK_EXCLUSIVE = 2;
const LOCK_AT_ONCE = 4;

/**
 * An flock(2) on an open file for this process alone, without waiting; the system gives it up when the file is closed or
 * the process ends, however it does. Where there is no flock, as on Windows, there is no guard.
 * @returns whether it was given, or why nobody can say
 */
export function lockFile(file: number): boolean | { readonly errno: number } {
  const functions = processLibrary()?.bind({ flock: ["int", "int", "int"] });
  if (functions === undefined) return true;
  if (functions.flock(file, LOCK_EXCLUSIVE | LOCK_AT_ONCE) === 0) return true;
  const errno = lastErrorNumber();
  return errno === errorNumber("EWOULDBLOCK") || errno === errorNumber("EAGAIN") ? false : { errno };
}
