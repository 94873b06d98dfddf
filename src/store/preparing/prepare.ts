import { existsSync, readdirSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { z } from "zod";
import { AlexnetError } from "../../errors.js";
import { describeDecoder, preferredJpegDecoder } from "../../images/decode/decode.js";
import { fraction, parseOptions, path, taskShape, wholeNumber } from "../../options.js";
import { type Task, taskOf } from "../../task.js";
import { DatabaseFile, isBegun, isStoreFolder, keys, lockStore, openForReading } from "../database.js";
import { detectSource } from "../sources/detect.js";
import type { Source } from "../sources/source.js";
import { decodeListed, progressOf, suitableWorkers } from "./decoding.js";
import { refuseOtherRequest } from "./differences.js";
import { writeListing } from "./listing.js";
import { writeSkippedList } from "./lists.js";
import {
  DEFAULTS,
  type MakingOptions,
  type PrepareOptions,
  type PreparingEvent,
  type StoreOptions,
} from "./options.js";
import { chooseEncoding, freeBytes, requireSpace } from "./space.js";
import { type PrepareSummary, summariseStore } from "./summary.js";
import { readJob, type StoreRequest } from "./unfinished.js";
import { refuseUnreadable } from "./unreadable.js";
import { StoreWriter } from "./writing.js";

const storeShape = {
  size: wholeNumber(8, 1024).optional(),
  encoding: z.enum(["auto", "raw", "jpeg"]).optional(),
  valFraction: fraction().optional(),
  seed: wholeNumber(0).optional(),
  workers: wholeNumber(1).optional(),
  allowMissingClasses: z.boolean().optional(),
  allowSvg: z.boolean().optional(),
  imageColumn: z.string().optional(),
  labelColumn: z.string().optional(),
  jpegDecoder: z.enum(["libjpeg-turbo", "sharp"]).optional(),
};

const shape = z.object({
  ...storeShape,
  ...taskShape<PreparingEvent>(),
  source: path(),
  out: path(),
  maxBad: z.number().min(0).max(1).optional(),
});

/**
 * Makes a store of a picture set: every picture as square RGB of one size, class list, mean image and colour covariance.
 * Killed at any instant, the same call goes on where it was and ends with the same content.
 * @throws AlexnetError "unusable-data" for sources it can't understand and too many unreadable pictures, "disk" for a
 * full one, "settings-differ" where a store of other pictures or options is there, "damaged-file" for one that is not
 * whole, "interrupted" when the signal stopped it.
 *
 * @example
 * const { info } = await prepare({ source: "photos", out: "stores/photos", onEvent: console.log });
 */
export async function prepare(options: PrepareOptions): Promise<PrepareSummary> {
  parseOptions(shape, options, "prepare");
  const { source, out, maxBad } = options;
  const summary = await makeStore(source, out, options, taskOf(options));
  refuseUnreadable(summary, maxBad);
  return summary;
}

/** `prepare`, however many pictures could not be read. */
export async function makeStore(
  pictures: string,
  folder: string,
  options: MakingOptions,
  task: Task<PreparingEvent>,
): Promise<PrepareSummary> {
  const out = resolve(folder);
  const source = await detectSource(pictures, options, task);
  refuseForeignFolder(out);
  const request = requestOf(source, options);
  if (await isWhole(out)) return reuse(out, source, request, options, task);
  let unlock = () => {};
  try {
    unlock = lockStore(out);
    if (await isWhole(out)) return await reuse(out, source, request, options, task); // by now
    const file = new DatabaseFile(out);
    try {
      const writer = await beginOrResume(file, source, request, options, task);
      await decodeListed(writer, options.workers ?? suitableWorkers(source), task);
      task.report(progressOf(writer, "finishing"));
      await writeSkippedList(file, out);
      await writer.finish(task);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw explain(error, out, task);
  } finally {
    unlock();
  }
  return summariseStore(out, false);
}

/** What the options ask for of a source. */
function requestOf(source: Source, options: MakingOptions): StoreRequest {
  return {
    kind: source.kind,
    path: source.path,
    columns: source.columns,
    part: options.part,
    pictureSize: options.size ?? DEFAULTS.size,
    seed: options.seed ?? DEFAULTS.seed,
    valFraction: options.valFraction ?? DEFAULTS.valFraction,
    allowMissingClasses: options.allowMissingClasses ?? DEFAULTS.allowMissingClasses,
    allowSvg: options.allowSvg ?? DEFAULTS.allowSvg,
  };
}

async function beginOrResume(
  file: DatabaseFile,
  source: Source,
  request: StoreRequest,
  options: StoreOptions,
  task: Task<PreparingEvent>,
): Promise<StoreWriter> {
  const { database, path } = file;
  const listing = (done: number) => task.report({ kind: "preparing", phase: "listing", done, total: 0, skipped: 0 });
  listing(0);
  const encodingAsked = options.encoding ?? DEFAULTS.encoding;
  const job = readJob(database, path);
  if (job !== undefined) {
    const made = { ...job.request, encoding: job.encoding, fingerprint: job.plan.fingerprint };
    await refuseOtherRequest(`${path}: an unfinished store`, made, request, encodingAsked, source, task);
    const decoder = describeDecoder(job.jpegDecoder);
    if (decoder !== job.decoder)
      throw new AlexnetError(
        "settings-differ",
        `${path}: begun with ${job.decoder}, here is ${decoder}; install the former, or remove the store to begin anew`,
      );
    const writer = StoreWriter.resume(file, job);
    requireSpace(job.encoding, job.request.pictureSize, job.plan.pictures - writer.next, freeBytes(path), path);
    return writer;
  }
  const plan = await writeListing(file, source, request, listing, task);
  const free = freeBytes(path);
  const encoding = chooseEncoding(encodingAsked, request.pictureSize, plan.pictures, free);
  requireSpace(encoding, request.pictureSize, plan.pictures, free, path);
  const jpegDecoder = options.jpegDecoder ?? preferredJpegDecoder();
  return StoreWriter.begin(file, { request, encoding, jpegDecoder, decoder: describeDecoder(jpegDecoder), plan });
}

async function reuse(
  out: string,
  source: Source,
  request: StoreRequest,
  options: StoreOptions,
  task: Task<PreparingEvent>,
): Promise<PrepareSummary> {
  const summary = await summariseStore(out, true);
  const made = { ...summary.info, ...summary.info.source };
  const encoding = options.encoding ?? DEFAULTS.encoding;
  await refuseOtherRequest(`${out}: already a store`, made, request, encoding, source, task);
  return summary;
}

function refuseForeignFolder(out: string): void {
  if (!existsSync(out)) return;
  if (!statSync(out).isDirectory())
    throw new AlexnetError("invalid-option", `${out}: a file, not a folder`, {
      hint: { advice: "choose another folder", option: "out" },
    });
  if (!isStoreFolder(out) && readdirSync(out).length > 0)
    throw new AlexnetError("already-exists", `${out}: not empty and no picture store`, {
      hint: { advice: "choose a new folder", option: "out" },
    });
}

async function isWhole(path: string): Promise<boolean> {
  if (!isBegun(path)) return false;
  const database = openForReading(path);
  try {
    return database.doesExist(keys.info);
  } finally {
    await database.close();
  }
}

function explain(error: unknown, out: string, { signal }: Pick<Task, "signal">): unknown {
  if (signal.aborted && (!(error instanceof AlexnetError) || error.code === "interrupted"))
    return new AlexnetError("interrupted", `${out}: stopped; the same again goes on from here`, {
      cause: signal.reason,
    });
  if (error instanceof AlexnetError) return error;
  const text = error instanceof Error ? error.message : String(error);
  // LMDB reports writing less than it wanted as an input/output error.
  if (/no space left|quota|file too large|input\/output error|map_full/i.test(text))
    return new AlexnetError("disk", `${out}: the disk is full (${text}); make room, then the same again goes on`, {
      cause: error,
    });
  return error;
}
