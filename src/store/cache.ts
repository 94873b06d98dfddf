import { dirname, resolve } from "node:path";
import { cacheFolder } from "../system/cache-folder.js";

/** Whether a store is one of those that nobody named. */
export function isInCache(store: string): boolean {
  return dirname(resolve(store)) === cacheFolder();
}
