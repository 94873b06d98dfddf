import { z } from "zod";
import { DEFAULT_PICTURE_SIZE, pictureBytes, splits } from "../../network/picture.js";
import { noSums, type Sums } from "../colour.js";
import { type Database, damagedStore, keys, parseJson, toFloat64 } from "../database.js";
import { columnsTaken, partTaken } from "../store.js";

/**
 * What a store that is being prepared says of itself, below `work/` in its database. A process may be killed at any
 * instant and go on, so all of it is read back, and checked like any file.
 */

const count = z.number().int().min(0);

/** What was asked for; an unfinished store is gone on with only for the same. */
const storeRequest = z
  .object({
    kind: z.string(),
    path: z.string(),
    columns: columnsTaken.optional(),
    part: partTaken.optional(),
    /** Absent in stores begun before there was a choice. */
    pictureSize: z.number().int().min(1).default(DEFAULT_PICTURE_SIZE),
    seed: z.number(),
    valFraction: z.number(),
    allowMissingClasses: z.boolean(),
    allowSvg: z.boolean(),
  })
  .readonly();

export type StoreRequest = z.infer<typeof storeRequest>;

/** What is to be read, in order; written down before anything is read. The list itself is in records of its own. */
const listing = z
  .object({
    pictures: count,
    /** In the order of their labels. */
    classes: z.array(z.string()).readonly(),
    titles: z.record(z.string(), z.string()).readonly(),
    /** Label by class number, which counts classes as they were met; -1 leaves the class out. */
    labels: z.array(z.number().int().min(-1)).readonly(),
    fingerprint: z.string(),
    /** Validation pictures left out because nothing to train on has their class. */
    leftOut: count,
    /** Archives and folders that could not be read to their end. */
    partial: count,
    /** What a person should know about the set. */
    notes: z.array(z.string()).readonly(),
  })
  .refine(({ labels, classes }) => labels.every((label) => label < classes.length), "a label without a class")
  .readonly();

export type Listing = z.infer<typeof listing>;

/** What is being done, decided once. */
const job = z
  .object({
    request: storeRequest,
    encoding: z.enum(["raw", "jpeg"]),
    jpegDecoder: z.enum(["libjpeg-turbo", "sharp"]),
    /** With versions: another one would go on with pictures that differ a little. */
    decoder: z.string(),
    plan: listing,
  })
  .readonly();

export type Job = z.infer<typeof job>;

/** How far it is: written in one transaction with the pictures it counts. */
const progress = z
  .object({
    /** Listed pictures dealt with. */
    next: count,
    counts: z.object({ train: count, val: count }).readonly(),
    skipped: count,
    /** Per split, `chainRecord` over its records so far. */
    chains: z.object({ train: z.string(), val: z.string() }).readonly(),
    /** `Sums.products`, as decimal text. */
    products: z
      .array(z.string().regex(/^-?\d+$/))
      .length(6)
      .readonly(),
  })
  .readonly();

export type Progress = z.infer<typeof progress>;

/** One entry of the list: a picture, or a fault that is known already. */
const entry = z.union([
  z.tuple([z.string(), z.string()]).readonly(),
  z
    .tuple([
      z.string(),
      count,
      z.enum(splits).nullable(),
      z.discriminatedUnion("kind", [
        z.object({ kind: z.literal("file"), path: z.string() }).readonly(),
        z.object({ kind: z.literal("range"), path: z.string(), offset: count, length: count }).readonly(),
        z.object({ kind: z.literal("row"), path: z.string(), column: z.string(), group: count, row: count }).readonly(),
      ]),
    ])
    .readonly(),
]);

/** `[name, reason]` or `[name, class number, split if the source says, place]`. */
export type Entry = z.infer<typeof entry>;

const entries = z.array(entry).readonly();

/** The job of an unfinished store; undefined while its source is still being listed. @throws as `readProgress`. */
export function readJob(database: Database, path: string): Job | undefined {
  const bytes = database.getBinary(keys.job);
  return bytes && parseJson(bytes, job, path, keys.job);
}

/** @throws AlexnetError "damaged-file" naming the store where it is missing, cut or of another form. */
export function readProgress(database: Database, path: string): Progress {
  const bytes = database.getBinary(keys.progress);
  if (bytes === undefined) throw damagedStore(path, `${keys.progress} is missing`);
  return parseJson(bytes, progress, path, keys.progress);
}

/** The sums that go with the progress. @throws as `readProgress`. */
export function readSums(database: Database, path: string, { products }: Progress, pictureSize: number): Sums {
  const bytes = database.getBinary(keys.pixelSums);
  const expected = pictureBytes(pictureSize) * Float64Array.BYTES_PER_ELEMENT;
  if (bytes?.length !== expected)
    throw damagedStore(path, `${keys.pixelSums} has ${bytes?.length ?? "no"} bytes, not ${expected}`);
  return { ...noSums(pictureSize), pixels: toFloat64(bytes), products: products.map(BigInt) };
}

/** Record number `index` of the list. @throws as `readProgress`. */
export function readEntries(database: Database, path: string, index: number): readonly Entry[] {
  const key = keys.plan(index);
  const bytes = database.getBinary(key);
  if (bytes === undefined) throw damagedStore(path, `${key} is missing`);
  return parseJson(bytes, entries, path, key);
}

/** For each listed picture, 1 where it was drawn for validation. @throws as `readProgress`. */
export function readDrawn(database: Database, path: string, { pictures }: Listing): Uint8Array {
  const bytes = database.getBinary(keys.drawnForValidation);
  if (bytes?.length !== pictures)
    throw damagedStore(path, `${keys.drawnForValidation} has ${bytes?.length ?? "no"} bytes, not ${pictures}`);
  return new Uint8Array(bytes);
}
