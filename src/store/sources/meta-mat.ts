import { inflateSync } from "node:zlib";
import { AlexnetError } from "../../errors.js";

/** One row of the `synsets` table in the ILSVRC devkit's meta.mat. */
export interface Synset {
  /** ILSVRC2012_ID: what the ground truth file numbers classes by. */
  readonly id: number;
  readonly wnid: string;
  readonly words: string;
}

/**
 * Reads the one table that is needed from a MATLAB level 5 file ("MAT-File Format", MathWorks): tagged elements, those
 * of a struct array being field names and then every field of every row.
 * @throws AlexnetError "unusable-data" when it isn't there.
 */
export function readSynsets(file: Buffer): Synset[] {
  for (const element of elements(file.subarray(HEADER_BYTES))) {
    const matrix = element.type === Type.compressed ? first(inflateSync(element.data, LIMIT)) : element;
    const synsets = matrix?.type === Type.matrix ? readStructs(matrix.data, "synsets") : undefined;
    if (synsets === undefined) continue;
    return synsets.map((fields) => ({
      id: readNumber(fields.get("ILSVRC2012_ID")),
      wnid: readCharacters(fields.get("WNID")),
      words: readCharacters(fields.get("words")),
    }));
  }
  throw new AlexnetError("unusable-data", "meta.mat: no table named synsets in it");
}

const HEADER_BYTES = 128;
const LIMIT = { maxOutputLength: 256 << 20 };
const Type = { int8: 1, matrix: 14, compressed: 15 } as const;
const STRUCT = 2; // mxSTRUCT_CLASS

interface Element {
  readonly type: number;
  readonly data: Buffer;
}

function* elements(data: Buffer): Generator<Element> {
  for (let at = 0; at + 8 <= data.length; ) {
    const tag = data.readUInt32LE(at);
    const isSmall = tag >>> 16 !== 0; // up to 4 bytes kept inside the tag
    const [type, length, start] = isSmall
      ? [tag & 0xffff, tag >>> 16, at + 4]
      : [tag, data.readUInt32LE(at + 4), at + 8];
    yield { type, data: data.subarray(start, start + length) };
    at = isSmall ? at + 8 : start + (type === Type.compressed ? length : Math.ceil(length / 8) * 8);
  }
}

const first = (data: Buffer): Element | undefined => elements(data).next().value ?? undefined;

/** The rows of a struct array by that name: matrices by field name. */
function readStructs(matrix: Buffer, wanted: string): Map<string, Buffer>[] | undefined {
  const [flags, dimensions, name, nameLength, names, ...values] = elements(matrix);
  if (flags?.data[0] !== STRUCT || name?.data.toString("latin1") !== wanted || names === undefined) return undefined;
  const length = nameLength?.data.readInt32LE(0) ?? 0;
  const fields: string[] = [];
  for (let at = 0; at + length <= names.data.length && length > 0; at += length)
    fields.push(names.data.toString("latin1", at, at + length).replace(/\0.*/s, ""));
  const rows = (dimensions?.data.readInt32LE(0) ?? 0) * (dimensions?.data.readInt32LE(4) ?? 0);
  return Array.from(
    { length: Math.min(rows, Math.floor(values.length / fields.length)) },
    (_, row) =>
      new Map(fields.map((field, i) => [field, values[row * fields.length + i]?.data ?? Buffer.alloc(0)] as const)),
  );
}

function readNumber(matrix: Buffer | undefined): number {
  const { type, data } = numbersOf(matrix);
  const read = numberReaders[type];
  return read === undefined || data.length === 0 ? Number.NaN : read(data);
}

const numberReaders: Readonly<Record<number, (data: Buffer) => number>> = {
  1: (data) => data.readInt8(0),
  2: (data) => data.readUInt8(0),
  3: (data) => data.readInt16LE(0),
  4: (data) => data.readUInt16LE(0),
  5: (data) => data.readInt32LE(0),
  6: (data) => data.readUInt32LE(0),
  7: (data) => data.readFloatLE(0),
  9: (data) => data.readDoubleLE(0),
};

const UTF16 = new Set([4, 17]); // miUINT16, miUTF16

function readCharacters(matrix: Buffer | undefined): string {
  const { type, data } = numbersOf(matrix);
  return data.toString(UTF16.has(type) ? "utf16le" : "utf8");
}

/** What a numeric or character matrix holds, behind its flags, dimensions and name. */
function numbersOf(matrix: Buffer | undefined): Element {
  const [, , , values] = matrix === undefined ? [] : elements(matrix);
  return values ?? { type: Type.int8, data: Buffer.alloc(0) };
}
