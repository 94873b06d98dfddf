import { createHash } from "node:crypto";
import { existsSync, readdirSync, statSync } from "node:fs";
import { rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { basename, join, resolve } from "node:path";
import { AlexnetError } from "../../errors.js";
import { describeDecoder, type JpegDecoder, preferredJpegDecoder } from "../../images/decode/decode.js";
import { DEFAULT_PICTURE_SIZE, type Split, splits } from "../../network/picture.js";
import { cacheFolder } from "../../system/cache-folder.js";
import { Pool } from "../../system/threads/pool.js";
import { moving } from "../../system/threads/protocol.js";
import { thousands } from "../../text.js";
import { DatabaseFile, isBegun, isStoreFolder, keys, lockStore, openForReading } from "../database.js";
import type { Encoding } from "../encode.js";
import { detectSource } from "../sources/detect.js";
import type { Source } from "../sources/source.js";
import { openStore, type Store, type StoreInfo } from "../store.js";
import { isStoreInUse } from "../users.js";
import { GROUP, GroupMemory } from "./group-memory.js";
import { fingerprintSource, type Planned, readPlan, writePlan } from "./listing.js";
import { DUPLICATES_LIST, SKIPPED_LIST, writeSkippedList } from "./lists.js";
import { refuseOther } from "./same-request.js";
import { chooseEncoding, freeBytes, requireSpace } from "./space.js";
import type { PrepareCalls, PrepareSetup } from "./worker.js";
import { type DealtGroup, Preparation, type Request, readJob } from "./writing.js";

export interface PreparationOptions {
  /** Height and width of the pictures, 8 to 1024. Default 256 (paper section 2). */
  readonly size?: number;
  /** "raw" costs no decoding in training, 197 kB a picture; "jpeg" about 26 kB. "auto": raw up to a quarter of the free disk. */
  readonly encoding?: Encoding | "auto";
  /** Of each class, drawn for validation where the source has no validation pictures. Default 0.1. */
  readonly valFraction?: number;
  /** Decides what is drawn. Default 1. */
  readonly seed?: number;
  /** Decoding threads; by default one more than there are cores. The result is the same for any number. */
  readonly workers?: number;
  /** Train on although training and validation have different classes. */
  readonly allowMissingClasses?: boolean;
  /** SVG can refer to other files, so it is skipped otherwise. */
  readonly allowSvg?: boolean;
  /** Decodes and makes JPEGs; by default libjpeg-turbo where it is installed, being twice as fast. */
  readonly jpegDecoder?: JpegDecoder;
  readonly onProgress?: (progress: PrepareProgress) => void;
  /** Stops cleanly; the same call goes on from there. */
  readonly signal?: AbortSignal;
}

export interface PrepareOptions extends PreparationOptions {
  readonly source: string;
  /** Folder of the store. */
  readonly out: string;
  /** Share of unreadable pictures beyond which the call fails; the store is kept. Default 0.01. */
  readonly maxBad?: number;
}

export interface PrepareProgress {
  readonly phase: "listing" | "preparing" | "finishing";
  readonly done: number;
  /** 0 while listing. */
  readonly total: number;
  readonly skipped: number;
}

export interface PrepareSummary {
  readonly path: string;
  readonly info: StoreInfo;
  readonly classes: readonly string[];
  readonly splits: readonly SplitSummary[];
  /** Nothing was done: the store was whole and its source unchanged. */
  readonly reused: boolean;
  readonly skippedList: string;
  readonly duplicatesList: string;
}

export interface SplitSummary {
  readonly split: Split;
  readonly pictures: number;
  /** In the order of labels. */
  readonly perClass: readonly number[];
  /** Of those that have any. */
  readonly smallest: ClassSize | undefined;
  readonly largest: ClassSize | undefined;
}

export interface ClassSize {
  readonly name: string;
  readonly pictures: number;
}

/**
 * Makes a store of a picture set: every picture as square RGB of one size, class list, mean image and colour covariance.
 * Killed at any instant, the same call goes on where it was and ends with the same content.
 * @throws AlexnetError "data" for sources it can't understand, a full disk, too many unreadable pictures;
 * "interrupted" when the signal stopped it.
 */
export async function prepare(options: PrepareOptions): Promise<PrepareSummary> {
  const summary = await prepareAnyhow(options);
  refuseBad(summary, options.maxBad ?? 0.01);
  return summary;
}

/**
 * The store of a picture set, for training: `source` itself when it is a store; otherwise one in the cache folder,
 * prepared when it isn't there or the source has changed since. Former ones that no run needs any more are cleared
 * away. Unreadable pictures are skipped and listed.
 * @returns the store's folder.
 */
export async function ensurePrepared(path: string, options: PreparationOptions = {}): Promise<string> {
  if (isStoreFolder(path)) return path;
  const source = await detectSource(path);
  const name = nameInCache(source.path, options);
  const fingerprint = await fingerprintSource(source);
  const out = join(cacheFolder(), `${name}-${fingerprint.slice(0, 12)}`);
  if (isBegun(out)) {
    const { whole, canGoOn } = await readState(out, fingerprint);
    if (whole) return out;
    if (!canGoOn) await rm(out, { recursive: true });
  }
  await clearUnused(name, out);
  await prepareAnyhow({ ...options, source: path, out });
  return out;
}

/** Takes former stores of a set out of the cache. */
async function clearUnused(name: string, current: string): Promise<void> {
  const folder = cacheFolder();
  const stores = existsSync(folder) ? readdirSync(folder).filter((entry) => entry.startsWith(name)) : [];
  for (const store of stores.map((entry) => join(folder, entry)))
    if (store !== current && isStoreFolder(store) && !isStoreInUse(store)) await rm(store, { recursive: true });
}

const DEFAULTS = { size: DEFAULT_PICTURE_SIZE, valFraction: 0.1, seed: 1, encoding: "auto" } as const;

function nameInCache(
  path: string,
  { size = DEFAULTS.size, valFraction, seed, encoding, allowMissingClasses, allowSvg }: PreparationOptions,
): string {
  const asked = [
    path,
    valFraction ?? DEFAULTS.valFraction,
    seed ?? DEFAULTS.seed,
    encoding ?? DEFAULTS.encoding,
    allowMissingClasses ?? false,
    allowSvg ?? false,
    ...(size === DEFAULTS.size ? [] : [size]), // as it was before there was a choice
  ];
  const hash = createHash("sha256").update(JSON.stringify(asked)).digest("hex").slice(0, 12);
  return `${basename(path).slice(0, 40)}-${hash}`;
}

async function prepareAnyhow(options: PrepareOptions): Promise<PrepareSummary> {
  const { signal } = options;
  const out = resolve(options.out);
  const source = await detectSource(options.source);
  refuseForeignFolder(out);
  const request = requestOf(source, options);
  if (await isWhole(out)) return reuse(out, source, request, options);
  let unlock = () => {};
  try {
    unlock = lockStore(out);
    if (await isWhole(out)) return await reuse(out, source, request, options); // by now
    const file = new DatabaseFile(out);
    try {
      const preparation = await beginOrGoOn(file, source, request, options, out);
      await dealWithAll(preparation, options.workers ?? suitableWorkers(source), options);
      options.onProgress?.({ ...progressOf(preparation), phase: "finishing" });
      await writeSkippedList(file.database, out);
      await preparation.finish();
    } finally {
      await file.close();
    }
  } catch (error) {
    throw explain(error, out, signal);
  } finally {
    unlock();
  }
  return summarise(out, false);
}

function requestOf(source: Source, options: PrepareOptions): Request {
  return {
    kind: source.kind,
    path: source.path,
    pictureSize: options.size ?? DEFAULTS.size,
    seed: options.seed ?? DEFAULTS.seed,
    valFraction: options.valFraction ?? DEFAULTS.valFraction,
    allowMissingClasses: options.allowMissingClasses ?? false,
    allowSvg: options.allowSvg ?? false,
  };
}

async function beginOrGoOn(
  file: DatabaseFile,
  source: Source,
  request: Request,
  options: PrepareOptions,
  out: string,
): Promise<Preparation> {
  const job = readJob(file.database);
  options.onProgress?.({ phase: "listing", done: 0, total: 0, skipped: 0 });
  if (job !== undefined) {
    const made = { ...job.request, encoding: job.encoding, fingerprint: job.plan.fingerprint };
    await refuseOther(
      `${out}: an unfinished store`,
      made,
      request,
      options.encoding ?? DEFAULTS.encoding,
      source,
      options.signal,
    );
    const decoder = describeDecoder(job.jpegDecoder);
    if (decoder !== job.decoder)
      throw new AlexnetError(
        "settings-differ",
        `${out}: begun with ${job.decoder}, here is ${decoder}; install the former, or remove the store to begin anew`,
      );
    const preparation = Preparation.goOn(file, job);
    requireSpace(job.encoding, job.request.pictureSize, job.plan.pictures - preparation.next, freeBytes(out), out);
    return preparation;
  }
  const plan = await writePlan(file, source, {
    ...request,
    onProgress: (done) => options.onProgress?.({ phase: "listing", done, total: 0, skipped: 0 }),
    signal: options.signal,
  });
  const free = freeBytes(out);
  const encoding = chooseEncoding(options.encoding ?? DEFAULTS.encoding, request.pictureSize, plan.pictures, free);
  requireSpace(encoding, request.pictureSize, plan.pictures, free, out);
  const jpegDecoder = options.jpegDecoder ?? preferredJpegDecoder();
  return Preparation.begin(file, { request, encoding, jpegDecoder, decoder: describeDecoder(jpegDecoder), plan });
}

const COMMIT = 8; // groups written in one transaction
const GROUPS_AHEAD = 3; // per worker; bounds the memory however slow a picture or the disk is
const SOURCE_BYTES = 400e6; // kept of a source by all workers
const SPARE_WORKERS = 1; // beyond the cores: a worker has nothing to do while sharp's threads decode for it

/** One more than cores, but fewer where what each keeps of the source would be too much together. */
function suitableWorkers({ bytesPerThread = 0 }: Source): number {
  const fitting = Math.floor(SOURCE_BYTES / Math.max(1, bytesPerThread));
  return Math.max(1, Math.min(availableParallelism() + SPARE_WORKERS, fitting));
}

async function dealWithAll(preparation: Preparation, workers: number, options: PrepareOptions): Promise<void> {
  const { job } = preparation;
  const { signal, onProgress } = options;
  const setup: PrepareSetup = {
    encoding: job.encoding,
    pictureSize: job.request.pictureSize,
    allowSvg: job.request.allowSvg,
    jpegDecoder: job.jpegDecoder,
  };
  const script = new URL("./worker.js", import.meta.url);
  const pool = new Pool<PrepareSetup, PrepareCalls>(script, workers, setup, "a thread that prepares pictures");
  const underway: Promise<DealtGroup>[] = [];
  let groups: DealtGroup[] = [];
  const spare: ArrayBuffer[] = []; // memory of groups that are written
  const commit = () => {
    preparation.commit(groups);
    spare.push(...groups.map(({ memory }) => memory));
    groups = [];
    onProgress?.(progressOf(preparation));
  };
  const settle = async (keep: number) => {
    for (let first = underway[0]; underway.length > keep; first = underway[0]) {
      groups.push(await first);
      underway.shift();
      if (groups.length === COMMIT) commit();
    }
  };
  try {
    onProgress?.(progressOf(preparation));
    for (const planned of readPlan(preparation.file, job.plan, preparation.next, GROUP)) {
      if (signal?.aborted) break;
      underway.push(deal(pool, planned, spare.pop() ?? new GroupMemory(job.request.pictureSize).buffer));
      await settle(workers * GROUPS_AHEAD);
    }
    await settle(0);
    commit();
    signal?.throwIfAborted();
  } finally {
    for (const group of underway) group.catch(() => {}); // the failure of the first is the one thrown
    await pool.close();
  }
}

async function deal(
  pool: Pool<PrepareSetup, PrepareCalls>,
  planned: readonly Planned[],
  spare: ArrayBuffer,
): Promise<DealtGroup> {
  const pictures = planned
    .filter((one) => one !== undefined && "place" in one)
    .map(({ place, split }) => ({ place, split }));
  const { outcomes, sums, memory } = await pool.run((thread) => thread.prepare(pictures, moving(spare, [spare])));
  let next = 0;
  const dealt = planned.map((one) => {
    if (one === undefined || "reason" in one) return one;
    const outcome = outcomes[next++];
    return "reason" in outcome ? { name: one.name, ...outcome } : { picture: one, ...outcome };
  });
  return { dealt, sums, memory };
}

function progressOf({ next, skipped, job }: Preparation): PrepareProgress {
  return { phase: "preparing", done: next, total: job.plan.pictures, skipped };
}

async function reuse(out: string, source: Source, request: Request, options: PrepareOptions): Promise<PrepareSummary> {
  const summary = await summarise(out, true);
  const made = { ...summary.info, ...summary.info.source };
  await refuseOther(`${out}: already a store`, made, request, options.encoding ?? DEFAULTS.encoding, source);
  return summary;
}

async function summarise(path: string, reused: boolean): Promise<PrepareSummary> {
  const store = await openStore(path);
  try {
    const { info, classes } = store;
    return { path, info, classes, splits: summariseSplits(store), reused, ...listsOf(path) };
  } finally {
    await store.close();
  }
}

/** The lists for people in a store's folder. */
export function listsOf(path: string) {
  return { skippedList: join(path, SKIPPED_LIST), duplicatesList: join(path, DUPLICATES_LIST) };
}

/** What is wrong with a set, a sentence each: unreadable pictures, leakage, what the source had to say. */
export function findingsOf({ skipped, counts, duplicates: { across }, notes }: StoreInfo, path: string): string[] {
  const { skippedList, duplicatesList } = listsOf(path);
  const share = skipped / (skipped + counts.train + counts.val);
  const unreadable = skipped === 1 ? "1 picture" : `${thousands(skipped)} pictures`;
  const leaking = across === 1 ? "1 validation picture is" : `${thousands(across)} validation pictures are`;
  return [
    ...(skipped > 0 ? [`skipped: ${unreadable} (${percent(share)}), see ${skippedList}`] : []),
    ...(across > 0 ? [`leakage: ${leaking} in the training split too, see ${duplicatesList}`] : []),
    ...notes.map((note) => `note: ${note}`),
  ];
}

/** How many pictures each split and class of a store has. */
export function summariseSplits(store: Store): SplitSummary[] {
  return splits.map((split) => {
    const perClass = store.classes.map(() => 0);
    for (const label of store.labels(split)) perClass[label]++;
    const sizes = perClass
      .map((pictures, label) => ({ name: store.classes[label], pictures }))
      .filter(({ pictures }) => pictures > 0)
      .sort((a, b) => a.pictures - b.pictures);
    return { split, pictures: store.count(split), perClass, smallest: sizes[0], largest: sizes.at(-1) };
  });
}

function refuseForeignFolder(out: string): void {
  if (!existsSync(out)) return;
  if (!statSync(out).isDirectory())
    throw new AlexnetError("invalid-option", `${out}: a file, not a folder; choose another --out`);
  if (!isStoreFolder(out) && readdirSync(out).length > 0)
    throw new AlexnetError("already-exists", `${out}: not empty and no picture store; choose a new folder`);
}

function refuseBad({ info, path, skippedList }: PrepareSummary, maxBad: number): void {
  const tried = info.skipped + info.counts.train + info.counts.val;
  if (info.partial > 0 && maxBad < 1)
    throw new AlexnetError(
      "unusable-data",
      `${path}: ${info.partial} of the archives or folders could not be read to the end, and how many pictures are ` +
        `missing is unknown: see ${skippedList}; the store is whole and kept, --max-bad 100% accepts it`,
    );
  if (info.skipped <= tried * maxBad) return;
  throw new AlexnetError(
    "unusable-data",
    `${path}: ${info.skipped} of ${tried} pictures could not be read, more than ${percent(maxBad)}: see ` +
      `${skippedList}; the store is whole and kept, a higher --max-bad accepts it`,
  );
}

const percent = (fraction: number) => `${Number((fraction * 100).toFixed(2))} %`;

async function isWhole(path: string): Promise<boolean> {
  if (!isBegun(path)) return false;
  const database = openForReading(path);
  try {
    return database.doesExist(keys.info);
  } finally {
    await database.close();
  }
}

/** Of a store, finished or not. `canGoOn`: the pictures are as they were, and the libraries that began it are here. */
async function readState(path: string, fingerprint: string) {
  const database = openForReading(path);
  try {
    if (database.doesExist(keys.info)) return { whole: true, canGoOn: true };
    const job = readJob(database);
    if (job === undefined) return { whole: false, canGoOn: true }; // it was being listed, or still is
    const canGoOn = job.plan.fingerprint === fingerprint && describeDecoder(job.jpegDecoder) === job.decoder;
    return { whole: false, canGoOn };
  } finally {
    await database.close();
  }
}

function explain(error: unknown, out: string, signal: AbortSignal | undefined): unknown {
  if (error instanceof AlexnetError) return error;
  if (signal?.aborted)
    return new AlexnetError("interrupted", `${out}: stopped; the same command goes on from here`, { cause: error });
  const text = error instanceof Error ? error.message : String(error);
  // LMDB reports writing less than it wanted as an input/output error.
  if (/no space left|quota|file too large|input\/output error|map_full/i.test(text))
    return new AlexnetError("disk", `${out}: the disk is full (${text}); make room, then the same command goes on`, {
      cause: error,
    });
  return error;
}
