import { closeSync, fstatSync, openSync } from "node:fs";
import { AlexnetError } from "../errors.js";
import { readAt } from "../system/file-reading.js";
import { decodeNumbers, type NumberType } from "../system/numbers.js";

/**
 * safetensors (https://huggingface.co/docs/safetensors): 8 bytes header length (little endian), a JSON header with
 * each tensor's dtype, shape and place, then the bytes. Rows first, little endian.
 */

export type TensorData = Float32Array | Float64Array | Int32Array | BigInt64Array | Uint8Array;

export interface NamedTensor {
  readonly shape: readonly number[];
  readonly data: TensorData;
}

export interface TensorFile {
  readonly tensors: ReadonlyMap<string, NamedTensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

const dtypes = {
  F32: Float32Array,
  F64: Float64Array,
  I32: Int32Array,
  I64: BigInt64Array,
  U8: Uint8Array,
} as const;
export type Dtype = keyof typeof dtypes;

/** Bytes a value takes, of the types whose values take whole bytes. */
const widths: Readonly<Partial<Record<string, number>>> = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
  I16: 2,
  U16: 2,
  F16: 2,
  BF16: 2,
  I32: 4,
  U32: 4,
  F32: 4,
  I64: 8,
  U64: 8,
  F64: 8,
};

/** Those that are read as float32. */
const floats: Readonly<Record<string, NumberType>> = {
  F16: "float16",
  BF16: "bfloat16",
  F32: "float32",
  F64: "float64",
};

const LARGEST_HEADER = 100_000_000; // the format's own limit

interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/** Reads a whole file. @throws AlexnetError "damaged-file" naming the file and what is wrong with it. */
export function readSafetensors(path: string): TensorFile {
  const file = openSafetensors(path);
  try {
    const tensors = new Map<string, NamedTensor>();
    for (const name of file.shapes.keys()) tensors.set(name, file.read(name));
    return { tensors, metadata: file.metadata };
  } finally {
    file.close();
  }
}

/** An open file whose tensors are read one by one. */
export interface OpenTensorFile {
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  readonly metadata: Readonly<Record<string, string>>;
  /** The system's number of the open file. */
  readonly descriptor: number;
  /** Where a tensor's bytes begin in the file, for reading it in parts. */
  position(name: string): number;
  /** Where the bytes of these float32 tensors begin; undefined unless they follow one another without gaps. */
  positionOfAll(tensors: readonly { readonly name: string; readonly shape: readonly number[] }[]): number | undefined;
  read(name: string): NamedTensor;
  /** Reads floating-point numbers of any width; `into` has as many values as the tensor. */
  readFloats(name: string, into: Float32Array): void;
  /** Reads into memory that is there already: of the tensor's own dtype and length. */
  readInto(name: string, into: TensorData): void;
  close(): void;
}

/** @throws AlexnetError "damaged-file" naming the file and what is wrong with it; its reads do the same. */
export function openSafetensors(path: string): OpenTensorFile {
  const file = openSync(path, "r");
  try {
    const { entries, metadata, start } = readHeader(file, fstatSync(file).size, path);
    const find = (name: string): Entry => {
      const entry = entries.get(name);
      if (entry === undefined) throw new AlexnetError("damaged-file", `${path}: holds no tensor ${name}`);
      return entry;
    };
    return {
      shapes: new Map([...entries].map(([name, entry]) => [name, entry.shape])),
      metadata,
      descriptor: file,
      position: (name) => start + find(name).begin,
      positionOfAll(tensors) {
        const found = tensors.map(({ name }) => find(name));
        const fits = found.every(
          ({ dtype, shape, begin }, i) =>
            dtype === "F32" && shape.join() === tensors[i]?.shape.join() && (i === 0 || begin === found[i - 1]?.end),
        );
        const [first] = found;
        return fits && first !== undefined ? start + first.begin : undefined;
      },
      read(name) {
        const { dtype, shape, begin, end } = find(name);
        if (!isDtype(dtype))
          throw new AlexnetError("unsupported", `${path}: tensor ${name} is ${dtype}, which can't be read here`);
        const bytes = new Uint8Array(end - begin);
        readFully(file, bytes, start + begin, path);
        return { shape, data: new dtypes[dtype](bytes.buffer) };
      },
      readFloats(name, into) {
        const { dtype, shape, begin, end } = find(name);
        const type = Object.hasOwn(floats, dtype) ? floats[dtype] : undefined;
        if (type === undefined || into.length !== product(shape))
          throw new AlexnetError(
            "damaged-file",
            `${path}: ${name} is ${dtype} ${shape.join("x")}; expected ${into.length} floating-point numbers`,
          );
        const bytes = new Uint8Array(end - begin);
        readFully(file, bytes, start + begin, path);
        decodeNumbers(bytes, type, into);
      },
      readInto(name, into) {
        const { dtype, shape, begin } = find(name);
        if (dtypeOf(into) !== dtype || into.length !== product(shape))
          throw new AlexnetError(
            "damaged-file",
            `${path}: tensor ${name} is ${dtype} ${shape.join("x")}; expected another`,
          );
        readFully(file, new Uint8Array(into.buffer, into.byteOffset, into.byteLength), start + begin, path);
      },
      close: () => closeSync(file),
    };
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

/** Only the names, shapes and metadata: quick for large files. */
export function readSafetensorsHeader(path: string): {
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  readonly metadata: Readonly<Record<string, string>>;
} {
  const file = openSync(path, "r");
  try {
    const { entries, metadata } = readHeader(file, fstatSync(file).size, path);
    return { shapes: new Map([...entries].map(([name, entry]) => [name, entry.shape])), metadata };
  } finally {
    closeSync(file);
  }
}

/** The bytes of such a file as a header and the tensors after it, in order: for writing without one large copy. */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, NamedTensor>,
  metadata: Readonly<Record<string, string>>,
): readonly Uint8Array[] {
  const described = new Map<string, TensorType>();
  const parts: Uint8Array[] = [];
  for (const [name, { shape, data }] of tensors) {
    if (product(shape) !== data.length)
      throw new AlexnetError("invalid-option", `${name}: shape ${shape.join("x")} does not hold ${data.length} values`);
    described.set(name, { dtype: dtypeOf(data), shape });
    parts.push(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return [encodeSafetensorsHead(described, metadata), ...parts];
}

export interface TensorType {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
}

/** What such a file begins with when the tensors follow in this order, padded to at least `length` bytes. */
export function encodeSafetensorsHead(
  tensors: ReadonlyMap<string, TensorType>,
  metadata: Readonly<Record<string, string>>,
  length = 0,
): Uint8Array {
  const header: Record<string, unknown> = { __metadata__: metadata };
  let offset = 0;
  for (const [name, { dtype, shape }] of tensors) {
    const end = offset + product(shape) * dtypes[dtype].BYTES_PER_ELEMENT;
    header[name] = { dtype, shape, data_offsets: [offset, end] };
    offset = end;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const padded = Math.ceil(Math.max(json.length, length - 8) / 8) * 8;
  const head = new Uint8Array(8 + padded).fill(0x20);
  new DataView(head.buffer).setBigUint64(0, BigInt(padded), true);
  head.set(json, 8);
  return head;
}

function readHeader(file: number, size: number, path: string) {
  const fail = (what: string): never => {
    throw new AlexnetError("damaged-file", `${path}: not a whole safetensors file: ${what}`);
  };
  if (size < 8) fail(`${size} bytes; the header's length alone takes 8`);
  const head = new Uint8Array(8);
  readFully(file, head, 0, path);
  const length = Number(new DataView(head.buffer).getBigUint64(0, true));
  if (length > LARGEST_HEADER || length > size - 8) fail(`header of ${length} bytes in a file of ${size}`);
  const json = new Uint8Array(length);
  readFully(file, json, 8, path);
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(json));
  } catch {
    fail("its header is not JSON");
  }
  if (typeof header !== "object" || header === null || Array.isArray(header)) return fail("its header is no object");
  const metadata: Record<string, string> = {};
  const entries = new Map<string, Entry>();
  const start = 8 + length;
  for (const [name, value] of Object.entries(header)) {
    if (name === "__metadata__") {
      if (value === null) continue; // as some programs write it where there is none
      if (!isTexts(value)) return fail("its metadata is not texts by name");
      Object.assign(metadata, value);
      continue;
    }
    const entry = parseEntry(value);
    if (entry === undefined) return fail(`tensor ${name} has no readable dtype, shape and place`);
    const width = Object.hasOwn(widths, entry.dtype) ? widths[entry.dtype] : undefined; // of newer types it is not known; they can't be read, but stepped over
    const bytes = width === undefined ? entry.end - entry.begin : product(entry.shape) * width;
    if (entry.end - entry.begin !== bytes) fail(`tensor ${name} takes ${entry.end - entry.begin} bytes, not ${bytes}`);
    if (start + entry.end > size) fail(`tensor ${name} ends at byte ${start + entry.end} of ${size}`);
    entries.set(name, entry);
  }
  let covered = start;
  for (const [name, { begin, end }] of [...entries].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end)) {
    if (start + begin !== covered)
      fail(`tensor ${name} starts at byte ${start + begin}; the one before ends at ${covered}`);
    covered = start + end;
  }
  if (covered !== size) fail(`${size} bytes; its tensors end at ${covered}`);
  return { entries, metadata, start };
}

function parseEntry(value: unknown): Entry | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { dtype, shape, data_offsets: place } = value as Record<string, unknown>;
  if (typeof dtype !== "string") return undefined;
  if (!isCounts(shape) || !isCounts(place) || place.length !== 2) return undefined;
  const [begin = 0, end = 0] = place;
  return begin > end ? undefined : { dtype, shape, begin, end };
}

function isDtype(name: string): name is Dtype {
  return Object.hasOwn(dtypes, name);
}

function isTexts(value: unknown): value is Readonly<Record<string, string>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return Object.values(value).every((text) => typeof text === "string");
}

function isCounts(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}

function dtypeOf(data: TensorData): Dtype {
  for (const [name, type] of Object.entries(dtypes)) if (data instanceof type) return name as Dtype;
  throw new AlexnetError("invalid-option", "no dtype for these numbers");
}

function product(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

function readFully(file: number, into: Uint8Array, position: number, path: string): void {
  const done = readAt(file, into, position);
  if (done < into.length)
    throw new AlexnetError("damaged-file", `${path}: ended at byte ${position + done}, before its tensors did`);
}
