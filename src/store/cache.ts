import { createHash } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { AlexnetError } from "../errors.js";
import { describeDecoder } from "../images/decode/decode.js";
import { canDecodeHeic } from "../images/decode/heic.js";
import { cacheFolder } from "../system/cache-folder.js";
import { type Task, type TaskOptions, taskOf } from "../task.js";
import { isBegun, isStoreFolder, keys, openForReading } from "./database.js";
import { fingerprintSource } from "./preparing/listing.js";
import {
  DEFAULTS,
  type MakingOptions,
  type PrepareOptions,
  type PreparingEvent,
  type StoreOptions,
} from "./preparing/options.js";
import { makeStore } from "./preparing/prepare.js";
import { summariseStore } from "./preparing/summary.js";
import { readJob } from "./preparing/unfinished.js";
import { refuseUnreadable } from "./preparing/unreadable.js";
import { detectSource } from "./sources/detect.js";
import type { Source } from "./sources/source.js";
import { isStoreInUse } from "./users.js";

/** Stores of picture sets that nobody named, kept in the cache folder. */

/**
 * The store of a picture set, for training: `path` itself when it is a store; otherwise one in the cache folder,
 * prepared when it isn't there or the source has changed since. Former ones that no run needs any more are cleared
 * away. Unreadable pictures are skipped and listed.
 * @returns the store's folder.
 * @throws AlexnetError as `prepare`, but for the share of unreadable pictures.
 */
export function ensurePrepared(
  path: string,
  options: StoreOptions & TaskOptions<PreparingEvent> = {},
): Promise<string> {
  return findOrMakeStore(path, options, taskOf(options));
}

/** `ensurePrepared` within a task. */
export async function findOrMakeStore(
  path: string,
  options: MakingOptions,
  task: Task<PreparingEvent>,
): Promise<string> {
  if (isStoreFolder(path)) return path;
  const source = await detectSource(path, options, task);
  const name = nameInCache(source, options);
  const fingerprint = await fingerprintSource(source, task);
  const out = join(cacheFolder(), `${name}-${fingerprint.slice(0, 12)}`);
  const state = await stateOf(out, fingerprint);
  if (state === "whole") return out;
  if (state === "useless") await rm(out, { recursive: true });
  await clearUnused(name, out);
  await makeInCache(path, out, options, task);
  return out;
}

/** Nobody named the place, so that nobody can choose another where it can't be written to: the cache as a whole moves. */
async function makeInCache(
  path: string,
  out: string,
  options: MakingOptions,
  task: Task<PreparingEvent>,
): Promise<void> {
  try {
    await makeStore(path, out, options, task);
  } catch (error) {
    const isUnwritable =
      error instanceof AlexnetError &&
      error.code === "disk" &&
      error.hints.some((hint) => "option" in hint && hint.option === "out");
    if (!isUnwritable) throw error;
    throw new AlexnetError(
      "disk",
      `${error.problem}; prepared pictures are kept in ${cacheFolder()}, or in the folder that the environment variable ` +
        "ALEXNET_CACHE names: set it to one that can be written to",
      { cause: error },
    );
  }
}

/**
 * `findOrMakeStore`, for training: too many unreadable pictures are refused, unless the store was named.
 * @throws AlexnetError as `prepare`.
 */
export async function findOrMakeTrainable(
  path: string,
  { maxBad, ...options }: MakingOptions & Pick<PrepareOptions, "maxBad">,
  task: Task<PreparingEvent>,
): Promise<string> {
  const store = await findOrMakeStore(path, options, task);
  if (store !== path) refuseUnreadable(await summariseStore(store, true), maxBad);
  return store;
}

/** Whether a store is one of those that nobody named. */
export function isInCache(store: string): boolean {
  return dirname(resolve(store)) === cacheFolder();
}

/** Takes former stores of a set out of the cache. */
async function clearUnused(name: string, current: string): Promise<void> {
  const folder = cacheFolder();
  const stores = existsSync(folder) ? readdirSync(folder).filter((entry) => entry.startsWith(name)) : [];
  for (const store of stores.map((entry) => join(folder, entry)))
    if (store !== current && isStoreFolder(store) && !isStoreInUse(store)) await rm(store, { recursive: true });
}

function nameInCache({ path, columns }: Source, options: MakingOptions): string {
  const { size, valFraction, seed, encoding, allowMissingClasses, allowSvg } = { ...DEFAULTS, ...defined(options) };
  const asked: unknown[] = [path, valFraction, seed, encoding, allowMissingClasses, allowSvg];
  if (size !== DEFAULTS.size) asked.push(size); // names are as they were before there was a choice
  if (options.imageColumn !== undefined || options.labelColumn !== undefined) asked.push(columns);
  if (options.part !== undefined) asked.push(options.part);
  if (canDecodeHeic()) asked.push("HEIC"); // pictures that were left out before can be read
  const hash = createHash("sha256").update(JSON.stringify(asked)).digest("hex").slice(0, 12);
  return `${basename(path).slice(0, 40)}-${hash}`;
}

/** The options that are given. */
function defined(options: MakingOptions): MakingOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

/**
 * What a folder of the cache holds: nothing, a whole store, one that is gone on with, or one that can't be: its
 * pictures changed, the libraries that began it are not here, or it is damaged.
 */
async function stateOf(path: string, fingerprint: string): Promise<"empty" | "whole" | "unfinished" | "useless"> {
  if (!isBegun(path)) return "empty";
  const database = openForReading(path);
  try {
    if (database.doesExist(keys.info)) return "whole";
    const job = readJob(database, path);
    if (job === undefined) return "unfinished"; // it was being listed, or still is
    const isSame = job.plan.fingerprint === fingerprint && describeDecoder(job.jpegDecoder) === job.decoder;
    return isSame ? "unfinished" : "useless";
  } catch (error) {
    if (error instanceof AlexnetError && error.code === "damaged-file") return "useless";
    throw error;
  } finally {
    await database.close();
  }
}
