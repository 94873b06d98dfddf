import { existsSync, lstatSync, readdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { AlexnetError } from "../errors.js";
import { cacheFolder } from "../system/cache-folder.js";
import { isBegun, keys, lockStore, openForReading } from "./database.js";
import { isStoreInUse } from "./users.js";

/** What the cache folder holds. All of it can be made again: clearing costs time, nothing else. */

const kinds = {
  features: "features",
  choices: "measured choices",
  kernels: "GPU kernels",
  "self-checks": "self-checks",
} as const;

export interface Cached {
  readonly path: string;
  readonly holds: "prepared pictures" | "pictures half prepared" | (typeof kinds)[keyof typeof kinds];
  readonly bytes: number;
  /** When something in it was changed last, as a date of JSON. */
  readonly changed: string;
  /** A run needs it, or a process is making it: it is not cleared. */
  readonly inUse: boolean;
}

/** The names of stores that nobody named: set-options-fingerprint (cache.ts). */
const STORE_NAME = /-[0-9a-f]{12}-[0-9a-f]{12}$/;

/** What the cache holds, the largest first. Whatever else lies in its folder is not ours, and left out. */
export async function listCache(): Promise<readonly Cached[]> {
  const folder = cacheFolder();
  const found: Cached[] = [];
  for (const name of existsSync(folder) ? readdirSync(folder) : []) {
    const path = join(folder, name);
    const kind = Object.hasOwn(kinds, name) ? kinds[name as keyof typeof kinds] : undefined;
    if (!lstatSync(path).isDirectory() || (kind === undefined && !STORE_NAME.test(name))) continue;
    const isStore = kind === undefined;
    found.push({
      path,
      holds: kind ?? ((await isWhole(path)) ? "prepared pictures" : "pictures half prepared"),
      ...sizeOf(path),
      inUse: isStore && (isStoreInUse(path) || (isBegun(path) && isBeingMade(path))),
    });
  }
  return found.sort((a, b) => b.bytes - a.bytes);
}

/** Removes what the cache holds, but for what is in use. @returns what was removed */
export async function clearCache(): Promise<readonly Cached[]> {
  const unused = (await listCache()).filter(({ inUse }) => !inUse);
  for (const { path } of unused) await rm(path, { recursive: true, force: true });
  return unused;
}

async function isWhole(path: string): Promise<boolean> {
  if (!isBegun(path)) return false;
  try {
    const database = openForReading(path);
    try {
      return database.doesExist(keys.info);
    } finally {
      await database.close();
    }
  } catch (error) {
    if (error instanceof AlexnetError) return false; // damaged
    throw error;
  }
}

function isBeingMade(path: string): boolean {
  try {
    lockStore(path)();
    return false;
  } catch (error) {
    if (error instanceof AlexnetError && ["in-use", "disk"].includes(error.code)) return true;
    throw error;
  }
}

/** Of a folder, with all in it; files that go away meanwhile count as nothing. */
function sizeOf(folder: string): { readonly bytes: number; readonly changed: string } {
  let [bytes, changed] = [0, 0];
  for (const name of ["", ...readdirSync(folder, { recursive: true, encoding: "utf8" })]) {
    const found = lstatSync(join(folder, name), { throwIfNoEntry: false });
    if (found?.isFile()) bytes += found.blocks === undefined ? found.size : 512 * found.blocks;
    changed = Math.max(changed, found?.mtimeMs ?? 0);
  }
  return { bytes, changed: new Date(changed).toISOString() };
}
