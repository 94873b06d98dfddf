import { z } from "zod";
import { AlexnetError } from "../errors.js";
import { DEFAULT_PICTURE_SIZE, pictureBytes, type Split, splits } from "../network/picture.js";

import { type ColourComponents, principalComponents } from "./colour.js";
import {
  type Database,
  damagedStore,
  decodeRecord,
  FORMAT,
  FORMAT_VERSION,
  isStoreFolder,
  keys,
  notFinished,
  openForReading,
  parseJson,
  prepareAgain,
  toFloat32,
  toFloat64,
  toInt32,
} from "./database.js";

export type { ColourComponents } from "./colour.js";
export type { Encoding } from "./encode.js";

const count = z.number().int().min(0);
const countPerSplit = z.object({ train: count, val: count }).readonly();

/** Pictures that are the same to the last pixel. */
const duplicates = z
  .object({
    train: count,
    val: count,
    /** Validation pictures that are in the training split too: leakage. */
    across: count,
    /** A few of them, by file name. */
    examples: z.array(z.array(z.string()).readonly()).readonly(),
  })
  .readonly();

/** Of Parquet files, which columns were taken; and which part of a set, where it isn't all that is trained with. */
export const columnsTaken = z.object({ image: z.string(), label: z.string() }).readonly();
export const partTaken = z.literal("test");

/** What a store says about itself; also what a preparation reports at its end. */
const storeInfo = z
  .object({
    format: z.literal(FORMAT),
    version: z.literal(FORMAT_VERSION),
    encoding: z.enum(["raw", "jpeg"]),
    /** Height and width of every picture; stores made before there was a choice don't say. */
    pictureSize: z.number().int().min(1).default(DEFAULT_PICTURE_SIZE),
    /** Libraries that decoded the pictures; contents differ a little between them. */
    decoder: z.string(),
    counts: countPerSplit,
    /** What people call a class, by its name, where the source says. */
    titles: z.record(z.string(), z.string()).readonly(),
    source: z
      .object({
        kind: z.string(),
        path: z.string(),
        fingerprint: z.string(),
        /** Stores of former versions don't say. */
        columns: columnsTaken.optional(),
        part: partTaken.optional(),
      })
      .readonly(),
    seed: z.number(),
    valFraction: z.number(),
    /** What was asked for; stores of former versions don't say. */
    allowMissingClasses: z.boolean().optional(),
    allowSvg: z.boolean().optional(),
    /** Unreadable pictures; skipped.csv in the store's folder lists them. */
    skipped: count,
    /** Validation pictures of classes that training doesn't have. */
    leftOut: count,
    /** Archives and folders that could not be read to their end; notes name them. */
    partial: count.default(0),
    notes: z.array(z.string()).readonly(),
    duplicates,
    /** SHA-256 over every picture, label and name, in order. */
    contentHash: z.string(),
    /** SHA-256 over classes, mean and covariance; stores of former versions have none. */
    statisticsHash: z.string().optional(),
  })
  .readonly();

export type StoreInfo = z.infer<typeof storeInfo>;
export type Duplicates = z.infer<typeof duplicates>;

/** Prepared pictures, labels and statistics. Any number of processes and threads can read one. */
export interface Store {
  readonly path: string;
  readonly info: StoreInfo;
  /** In the order of their labels. */
  readonly classes: readonly string[];
  /** (size, size, 3), the mean of the training pictures. */
  readonly mean: Float32Array;
  /** Of red, green and blue over all training pixels, (3, 3), units of 0 to 255 squared. */
  readonly covariance: Float64Array;
  /** Its principal components. */
  readonly colour: ColourComponents;
  readonly contentHash: string;
  count(split: Split): number;
  /** One per picture; shared, not to be written to. */
  labels(split: Split): Int32Array;
  fileName(split: Split, index: number): string;
  /** A picture as it is stored; `info.encoding` says how. */
  encoded(split: Split, index: number): Uint8Array;
  /** Runs before the store closes. */
  onClose(action: () => Promise<void>): void;
  close(): Promise<void>;
}

/**
 * Opens a prepared store.
 * @throws AlexnetError "not-found" when it isn't one; "damaged-file" when it is not finished yet, which says how to go
 * on, or not whole.
 */
export async function openStore(path: string): Promise<Store> {
  if (!isStoreFolder(path))
    throw new AlexnetError("not-found", `${path}: no picture store`, {
      hint: { advice: "make one with", call: "prepare", options: { out: path } },
    });
  const database = openForReading(path);
  try {
    return new LmdbStore(path, database);
  } catch (error) {
    await database.close();
    throw error;
  }
}

class LmdbStore implements Store {
  readonly info: StoreInfo;
  readonly classes: readonly string[];
  readonly mean: Float32Array;
  readonly covariance: Float64Array;
  readonly colour: ColourComponents;
  readonly #labels: Readonly<Record<Split, Int32Array>>;
  readonly #beforeClosing: (() => Promise<void>)[] = [];

  constructor(
    readonly path: string,
    readonly database: Database,
  ) {
    this.info = readInfo(database, path);
    this.classes = parseJson(this.#value(keys.classes), z.array(z.string()), path, keys.classes);
    this.mean = toFloat32(this.#value(keys.mean, pictureBytes(this.info.pictureSize) * 4));
    this.covariance = toFloat64(this.#value(keys.covariance, 9 * 8));
    const [rr = 0, rg = 0, rb = 0, , gg = 0, gb = 0, , , bb = 0] = this.covariance; // 9 values, as was checked
    this.colour = principalComponents([
      [rr, rg, rb],
      [rg, gg, gb],
      [rb, gb, bb],
    ]);
    this.#labels = { train: this.#readLabels("train"), val: this.#readLabels("val") };
  }

  get contentHash(): string {
    return this.info.contentHash;
  }

  count(split: Split): number {
    return this.info.counts[split];
  }

  labels(split: Split): Int32Array {
    return this.#labels[split];
  }

  fileName(split: Split, index: number): string {
    return decodeRecord(this.#value(keys.record(split, index))).name;
  }

  encoded(split: Split, index: number): Uint8Array {
    return this.#value(keys.picture(split, index));
  }

  onClose(action: () => Promise<void>): void {
    this.#beforeClosing.push(action);
  }

  async close(): Promise<void> {
    for (const action of this.#beforeClosing.splice(0)) await action();
    await this.database.close();
  }

  #readLabels(split: Split): Int32Array {
    const count = this.count(split);
    const labels = toInt32(this.#value(keys.labels(split), count * 4));
    const wrong = labels.findIndex((label) => !(label >= 0 && label < this.classes.length));
    if (wrong >= 0) throw damagedStore(this.path, `${split} picture ${wrong} has label ${labels[wrong]}`);
    return labels;
  }

  #value(key: string, length?: number): Uint8Array {
    const bytes = this.database.getBinary(key);
    if (bytes === undefined) throw damagedStore(this.path, `${key} is missing`);
    if (length !== undefined && bytes.length !== length)
      throw damagedStore(this.path, `${key} has ${bytes.length} bytes, not ${length}`);
    return bytes;
  }
}

/** In all splits together. */
export function pictureCount(store: Store): number {
  return splits.reduce((sum, split) => sum + store.count(split), 0);
}

/** @throws AlexnetError "damaged-file" when the store is unfinished, of another version or damaged. */
function readInfo(database: Database, path: string): StoreInfo {
  const bytes = database.getBinary(keys.info);
  if (bytes === undefined) throw notFinished(path);
  const { version } = parseJson(bytes, z.object({ format: z.literal(FORMAT), version: z.number() }), path, keys.info);
  if (version !== FORMAT_VERSION)
    throw new AlexnetError("damaged-file", `${path}: format version ${version}, this program reads ${FORMAT_VERSION}`, {
      hint: prepareAgain(path),
    });
  return parseJson(bytes, storeInfo, path, keys.info);
}

/** What people call a class, where the source has a title for it. Classes may have the names of an object's methods. */
export function titleOf({ titles }: Pick<StoreInfo, "titles">, className: string): string | undefined {
  return Object.hasOwn(titles, className) ? titles[className] : undefined;
}
