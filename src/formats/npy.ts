import { readFileSync } from "node:fs";
import { AlexnetError } from "../errors.js";
import { bytesOf, decodeNumbers, type NumberType, numberTypes } from "../system/numbers.js";

/** NumPy's .npy: magic and version, a Python dict as text, then the numbers. */

const MAGIC = Buffer.from("\x93NUMPY", "latin1");

/** The bytes of a float32 array, row-major: a header and the values, in parts. */
export function encodeNpy(shape: readonly number[], data: Float32Array): readonly Uint8Array[] {
  const count = shape.reduce((a, b) => a * b, 1);
  if (count !== data.length)
    throw new AlexnetError("invalid-option", `shape ${shape.join("x")} does not hold ${data.length} values`);
  return [encodeNpyHead(shape), bytesOf(data)];
}

/** What a float32 array's file begins with, padded to at least `length` bytes. */
export function encodeNpyHead(shape: readonly number[], length = 0): Uint8Array {
  const lengths = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const dict = `{'descr': '<f4', 'fortran_order': False, 'shape': (${lengths}), }`;
  const whole = Math.ceil(Math.max(MAGIC.length + 4 + dict.length + 1, length) / 64) * 64; // values start aligned
  const rest = whole - MAGIC.length - 4;
  const start = Buffer.from([1, 0, rest & 0xff, rest >>> 8]);
  return Buffer.concat([MAGIC, start, Buffer.from(`${dict.padEnd(rest - 1)}\n`, "latin1")]);
}

export interface NpyArray {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

const types: Readonly<Record<string, NumberType>> = { "<f2": "float16", "<f4": "float32", "<f8": "float64" };

/** Floating-point arrays, row-major, little endian. @throws AlexnetError "damaged-file" naming the file and what is wrong. */
export function readNpy(path: string): NpyArray {
  const bytes = readFileSync(path);
  const fail = (what: string): never => {
    throw new AlexnetError("damaged-file", `${path}: not a whole .npy file: ${what}`);
  };
  if (bytes.length < 12 || !bytes.subarray(0, 6).equals(MAGIC)) fail("it does not begin as one");
  const wide = bytes.readUInt8(6) >= 2; // from version 2 on the header's length takes 4 bytes
  const start = wide ? 12 : 10;
  const end = start + (wide ? bytes.readUInt32LE(8) : bytes.readUInt16LE(8));
  if (end > bytes.length) fail("its header is cut off");
  const header = bytes.toString("latin1", start, end);
  const type = types[/'descr':\s*'([^']*)'/.exec(header)?.[1] ?? ""] ?? fail("it holds no little-endian floats");
  if (!/'fortran_order':\s*False/.test(header)) fail("its columns come first");
  const lengths = /'shape':\s*\(([\d\s,]*)\)/.exec(header)?.[1] ?? fail("it has no shape");
  const shape = lengths.split(",").flatMap((length) => (length.trim() === "" ? [] : [Number(length)]));
  const count = shape.reduce((a, b) => a * b, 1);
  if (bytes.length - end !== count * numberTypes[type].bytes)
    fail(`${shape.join("x")} values take not ${bytes.length - end} bytes`);
  const data = new Float32Array(count);
  decodeNumbers(bytes.subarray(end), type, data);
  return { shape, data };
}
