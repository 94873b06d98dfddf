import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";

/** Where prepared stores are kept that nobody named: $ALEXNET_CACHE, or the system's place for such files. */
export function cacheFolder(): string {
  const { ALEXNET_CACHE, XDG_CACHE_HOME } = process.env;
  if (ALEXNET_CACHE) return resolve(ALEXNET_CACHE);
  if (XDG_CACHE_HOME) return join(XDG_CACHE_HOME, "alexnet");
  return process.platform === "darwin"
    ? join(homedir(), "Library", "Caches", "alexnet")
    : join(homedir(), ".cache", "alexnet");
}

/** Whether a store is one of those that nobody named. */
export function isInCache(store: string): boolean {
  return dirname(resolve(store)) === cacheFolder();
}
