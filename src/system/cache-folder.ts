import { homedir } from "node:os";
import { join, resolve } from "node:path";

/** Where all that can be made again is kept: $ALEXNET_CACHE, or the system's place for such files. */
export function cacheFolder(): string {
  const { ALEXNET_CACHE, XDG_CACHE_HOME } = process.env;
  if (ALEXNET_CACHE) return resolve(ALEXNET_CACHE);
  if (XDG_CACHE_HOME) return join(XDG_CACHE_HOME, "alexnet");
  return process.platform === "darwin"
    ? join(homedir(), "Library", "Caches", "alexnet")
    : join(homedir(), ".cache", "alexnet");
}
