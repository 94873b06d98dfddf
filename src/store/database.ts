import { closeSync, constants, existsSync, fstatSync, mkdirSync, openSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import { open, type RootDatabase } from "lmdb";
import { z } from "zod";
import { AlexnetError, type Hint } from "../errors.js";
import type { Split } from "../network/picture.js";
import { lockFile } from "../system/file-lock.js";
import { errnoOf } from "../system/files.js";
import { releasePages } from "../system/mapped-memory.js";
import { sha256 } from "../system/sha256.js";

/** Keys are ASCII text, values bytes: other programs' LMDB readers need nothing of ours. See docs/formats.md. */
export type Database = RootDatabase<Uint8Array, string>;

export const FORMAT = "alexnet-store";
export const FORMAT_VERSION = 1;

export const keys = {
  info: "info",
  classes: "classes",
  mean: "mean", // float32 (size, size, 3)
  covariance: "covariance", // float64 (3, 3)
  labels: (split: Split) => `labels/${split}`, // int32, one per picture
  picture: (split: Split, index: number) => `picture/${split}/${digits(index)}`,
  /** SHA-256 of the picture's value, int32 label, file name. */
  record: (split: Split, index: number) => `record/${split}/${digits(index)}`,
  skipped: (index: number) => `skipped/${digits(index)}`, // JSON { name, reason }
  // What follows exists only while a store is being prepared.
  job: "work/job",
  progress: "work/progress",
  pixelSums: "work/pixel-sums", // float64 (size, size, 3)
  drawnForValidation: "work/val", // a byte per planned picture
  plan: (index: number) => `work/plan/${digits(index)}`,
} as const;

const digits = (index: number) => String(index).padStart(8, "0");

const OPTIONS = {
  encoding: "binary",
  keyEncoding: "ordered-binary",
  cache: false,
  noSubdir: false,
  maxReaders: 1024,
} as const;

const DATA_FILE = "data.mdb";

export function isStoreFolder(path: string): boolean {
  return existsSync(join(path, DATA_FILE));
}

/** Whether anything has been written to it: LMDB makes its file first, and a process may have been killed then. */
export function isBegun(path: string): boolean {
  return isStoreFolder(path) && statSync(join(path, DATA_FILE)).size > 0;
}

/** Many processes and threads may read one store at once. */
export function openForReading(path: string): Database {
  if (!isBegun(path)) throw notFinished(path);
  checkDataFile(path);
  return openChecked(path, () => open<Uint8Array, string>({ ...OPTIONS, path, readOnly: true }));
}

export function openForWriting(path: string): Database {
  mkdirSync(path, { recursive: true });
  if (isBegun(path)) checkDataFile(path);
  return openChecked(path, () => open<Uint8Array, string>({ ...OPTIONS, path, overlappingSync: false }));
}

/**
 * Keeps other processes from preparing the same store. Where the disk has no locks, as some in networks, each
 * transaction's own check is what keeps them apart.
 * @returns what gives the store back
 * @throws AlexnetError "in-use" while another process has it, "disk" where no store can be written
 */
export function lockStore(path: string): () => void {
  const file = openDataFile(path);
  if (lockFile(file) !== false) return () => closeSync(file);
  closeSync(file);
  throw inPreparation(path);
}

function openDataFile(path: string): number {
  try {
    mkdirSync(path, { recursive: true });
    return openSync(join(path, DATA_FILE), constants.O_RDWR | constants.O_CREAT, 0o664);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === undefined || errno === "ENOSPC" || errno === "EDQUOT") throw error;
    throw new AlexnetError("disk", `${path}: no store can be written there (${errno})`, {
      hint: { advice: "choose another folder", option: "out" },
      cause: error,
    });
  }
}

export function inPreparation(path: string): AlexnetError {
  return new AlexnetError("in-use", `${path}: another process is preparing this store; let it finish`);
}

export function notFinished(path: string): AlexnetError {
  return new AlexnetError("damaged-file", `${path}: this picture store is not finished`, {
    hint: { advice: "finish it with the call that began it", call: "prepare", options: { out: path } },
  });
}

/**
 * A database that is written to for long. LMDB maps its file, and the pages it has looked at count as this process's
 * memory: let go now and then, that memory stays the same however large the file becomes.
 */
export class DatabaseFile {
  readonly database: Database;

  constructor(readonly path: string) {
    this.database = openForWriting(path);
  }

  releaseMemory(): void {
    releasePages(join(this.path, DATA_FILE));
  }

  close(): Promise<void> {
    return this.database.close();
  }
}

function openChecked(path: string, opening: () => Database): Database {
  try {
    return opening();
  } catch (error) {
    throw notReadable(path, error instanceof Error ? error.message : String(error), { cause: error });
  }
}

/** Where things are in LMDB's two first pages, each of which describes one transaction (data format 2). */
const Meta = { magic: 24, version: 28, pageSize: 48, lastPage: 144, transaction: 152, bytes: 160 } as const;
const MAGIC = 0xbeefc0de;
const DATA_FORMAT = 2;

/** LMDB maps its file into memory unseen: one that is something else, or cut off, would end the process. */
function checkDataFile(path: string): void {
  const file = openSync(join(path, DATA_FILE), "r");
  try {
    const { size } = fstatSync(file);
    const readMeta = (position: number) => {
      const page = Buffer.alloc(Meta.bytes);
      const isWhole = readSync(file, page, 0, Meta.bytes, position) === Meta.bytes;
      if (!isWhole || page.readUInt32LE(Meta.magic) !== MAGIC) throw notReadable(path, "data.mdb is something else");
      const version = page.readUInt32LE(Meta.version);
      if (version !== DATA_FORMAT)
        throw notReadable(path, `data.mdb has LMDB data format ${version}, not ${DATA_FORMAT}`);
      return {
        pageSize: page.readUInt32LE(Meta.pageSize),
        lastPage: Number(page.readBigUInt64LE(Meta.lastPage)),
        transaction: page.readBigUInt64LE(Meta.transaction),
      };
    };
    const first = readMeta(0);
    const second = readMeta(first.pageSize);
    const { lastPage, pageSize } = first.transaction > second.transaction ? first : second;
    const needed = (lastPage + 1) * pageSize;
    if (size < needed) throw notReadable(path, `data.mdb is cut off: ${size} of ${needed} bytes`);
  } finally {
    closeSync(file);
  }
}

function notReadable(path: string, why: string, options?: ErrorOptions): AlexnetError {
  const hint = prepareAgain(path);
  return new AlexnetError("damaged-file", `${path}: not a readable picture store (${why})`, { ...options, hint });
}

/** A store of which a part is missing, cut or of another form. */
export function damagedStore(path: string, what: string): AlexnetError {
  return new AlexnetError("damaged-file", `${path}: damaged picture store: ${what}`, { hint: prepareAgain(path) });
}

export function prepareAgain(path: string): Hint {
  return { advice: "remove it and prepare it again", call: "prepare", options: { out: path } };
}

export const toJson = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));

/**
 * The JSON value of a key, checked.
 * @throws AlexnetError "damaged-file" naming the store, the key and what is wrong with its value.
 */
export function parseJson<T>(bytes: Uint8Array, schema: z.ZodType<T>, path: string, key: string): T {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8"));
  } catch (error) {
    throw damagedStore(path, `${key}: ${error instanceof Error ? error.message : String(error)}`);
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw damagedStore(path, `${key}: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

/** The bytes of some numbers, uncopied. */
export const toBytes = (numbers: ArrayBufferView): Uint8Array =>
  new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);

/** A copy, so that it is aligned and outlives the transaction. */
export const toFloat64 = (bytes: Uint8Array): Float64Array => new Float64Array(new Uint8Array(bytes).buffer);
export const toFloat32 = (bytes: Uint8Array): Float32Array => new Float32Array(new Uint8Array(bytes).buffer);
export const toInt32 = (bytes: Uint8Array): Int32Array => new Int32Array(new Uint8Array(bytes).buffer);

export interface PictureRecord {
  /** SHA-256 of the encoded picture. */
  readonly hash: Uint8Array;
  readonly label: number;
  readonly name: string;
}

const HASH_BYTES = 32;

export function encodeRecord({ hash, label, name }: PictureRecord): Uint8Array {
  const head = Buffer.alloc(HASH_BYTES + 4);
  head.set(hash);
  head.writeInt32LE(label, HASH_BYTES);
  return Buffer.concat([head, Buffer.from(name)]);
}

export function decodeRecord(bytes: Uint8Array): PictureRecord {
  const buffer = Buffer.from(bytes);
  return {
    hash: buffer.subarray(0, HASH_BYTES),
    label: buffer.readInt32LE(HASH_BYTES),
    name: buffer.toString("utf8", HASH_BYTES + 4),
  };
}

/** SHA-256 over a split's records up to the latest one, hexadecimal; "" before the first. */
export function chainRecord(chain: string, record: Uint8Array): string {
  return sha256(Buffer.concat([Buffer.from(chain), record])).toString("hex");
}

/** One hash of every picture, label and name, in order. */
export function hashContent({ train, val }: Readonly<Record<Split, string>>): string {
  return sha256(`${train} ${val}`).toString("hex");
}

/** One hash of the values of `classes`, `mean` and `covariance`. */
export function hashStatistics(classes: Uint8Array, mean: Uint8Array, covariance: Uint8Array): string {
  return sha256(Buffer.concat([sha256(classes), sha256(mean), sha256(covariance)])).toString("hex");
}
