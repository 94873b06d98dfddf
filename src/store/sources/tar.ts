import { closeSync, fstatSync } from "node:fs";
import { Header } from "tar/header";
import { AlexnetError } from "../../errors.js";
import { openToRead, readAt } from "../../system/file-reading.js";

const BLOCK = 512;
const LONGEST_EXTENSION = 1 << 20; // bytes of a header that extends another

export interface TarEntry {
  readonly path: string;
  /** Of its bytes, in the file. */
  readonly offset: number;
  readonly length: number;
}

/** Bytes that can be read anywhere: a file, or part of one. */
export interface Bytes {
  readonly length: number;
  /** Fewer at the end. */
  read(offset: number, length: number): Buffer;
}

/** Runs `use` with a file open for reading. */
export function* withFile<T>(path: string, use: (file: Bytes) => Iterable<T>): Generator<T> {
  const file = openToRead(path);
  try {
    yield* use({
      length: fstatSync(file).size,
      read(offset, length) {
        const buffer = Buffer.alloc(length);
        return buffer.subarray(0, readAt(file, buffer, offset));
      },
    });
  } finally {
    closeSync(file);
  }
}

/** What a header says about the entry behind it, in place of that entry's own header. */
interface Extension {
  readonly path?: string;
  readonly size?: number;
}

/**
 * The regular files in a tar archive, or in an archive inside it, from their headers alone.
 * @throws AlexnetError "data" where the archive is cut or damaged; what came before is good.
 */
export function* readTar(bytes: Bytes, start = 0, end = bytes.length): Generator<TarEntry> {
  let extension: Extension = {};
  let forAll: Extension = {};
  for (let at = start; at < end; ) {
    const block = at + BLOCK <= end ? bytes.read(at, BLOCK) : Buffer.alloc(0);
    if (block.length < BLOCK) throw new AlexnetError("damaged-file", `archive cut off at byte ${at}`);
    const header = readHeader(block);
    if (header?.nullBlock) return;
    const isExtension = header !== undefined && EXTENSIONS.has(header.type);
    const own = isExtension ? {} : { ...forAll, ...extension };
    const size = own.size ?? header?.size;
    if (!header?.cksumValid || size === undefined || !Number.isSafeInteger(size))
      throw new AlexnetError("damaged-file", `damaged archive at byte ${at}; nothing behind it is readable`);
    const body = at + BLOCK;
    const path = own.path ?? header.path ?? "";
    at = body + Math.ceil(size / BLOCK) * BLOCK;
    if (header.type === "ExtendedHeader") extension = { ...extension, ...readPax(readShort(bytes, body, size)) };
    else if (header.type === "GlobalExtendedHeader") forAll = { ...forAll, ...readPax(readShort(bytes, body, size)) };
    else if (header.type === "NextFileHasLongPath")
      extension = { ...extension, path: readShort(bytes, body, size).toString("utf8").replace(/\0.*/s, "") };
    else if (header.type !== "NextFileHasLongLinkpath") {
      if (body + size > end) throw new AlexnetError("damaged-file", `archive cut off in the middle of ${path}`);
      if (FILES.has(header.type)) yield { path, offset: body, length: size };
      extension = {};
    }
  }
  throw new AlexnetError("damaged-file", "archive cut off: its end is missing");
}

const EXTENSIONS = new Set([
  "ExtendedHeader",
  "GlobalExtendedHeader",
  "NextFileHasLongPath",
  "NextFileHasLongLinkpath",
]);
const FILES = new Set(["File", "OldFile", "ContiguousFile"]);

/** Undefined where a number in it is beyond all numbers. */
function readHeader(block: Buffer): Header | undefined {
  try {
    return new Header(block);
  } catch {
    return undefined;
  }
}

function readShort(bytes: Bytes, offset: number, length: number): Buffer {
  if (length > LONGEST_EXTENSION)
    throw new AlexnetError("damaged-file", `damaged archive at byte ${offset}: a name of ${length} bytes`);
  return bytes.read(offset, length);
}

/** A pax header: records of `length keyword=value\n`, length counting all of that; values may have line breaks. */
function readPax(data: Buffer): Extension {
  let extension: Extension = {};
  for (let at = 0; at < data.length; ) {
    const length = Number(/^\d+ /.exec(data.toString("latin1", at, at + 12))?.[0]);
    if (!(length > 0)) break;
    const [, keyword, value = ""] = /^\d+ ([^=]*)=(.*)\n$/s.exec(data.toString("utf8", at, at + length)) ?? [];
    if (keyword === "path") extension = { ...extension, path: value.replace(/\0.*/s, "") };
    if (keyword === "size") extension = { ...extension, size: /^\d+$/.test(value) ? Number(value) : Number.NaN };
    at += length;
  }
  return extension;
}
