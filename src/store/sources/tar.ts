import { closeSync, fstatSync } from "node:fs";
import { Header } from "tar/header";
import { AlexnetError } from "../../errors.js";
import { openToRead, readAt } from "../../system/file-reading.js";

const BLOCK = 512;
const LONGEST_EXTENSION = 1 << 20; // bytes of a header that extends another

export interface TarEntry {
  readonly path: string;
  /** Why its bytes can't be read, where they can't: its places are of no use then. */
  readonly fault?: string;
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
  readonly linkPath?: string;
  readonly isSparse?: boolean;
}

/** Where an entry's bytes are, or why they can't be read. */
type Placed = Pick<TarEntry, "offset" | "length" | "fault">;

/**
 * The files in a tar archive, or in an archive inside it, from their headers alone. Hard links, which stand for files that
 * came before, have those files' bytes; symbolic links, sparse files and links to nothing have a `fault`.
 * @throws AlexnetError "damaged-file" where the archive is cut or damaged; what came before is good.
 */
export function* readTar(bytes: Bytes, start = 0, end = bytes.length): Generator<TarEntry> {
  let known: Map<string, Placed> | undefined; // most archives have no links: only then is it worth its memory
  for (const entry of readEntries(bytes, start, end)) {
    const { name, header, link } = entry;
    if (link === undefined) {
      known?.set(name, entry.placed);
      yield { path: name, ...entry.placed };
    } else if (header === "SymbolicLink")
      yield { path: name, ...entry.placed, fault: `a symbolic link in its archive, to ${link}` };
    else {
      known ??= indexBefore(bytes, start, entry.at);
      const fault = `a link in its archive to ${link}, which is not before it`;
      yield { path: name, ...(known.get(withoutDot(link)) ?? { ...entry.placed, fault }) };
    }
  }
}

function indexBefore(bytes: Bytes, start: number, end: number): Map<string, Placed> {
  const known = new Map<string, Placed>();
  for (const { at, name, link, placed } of readEntries(bytes, start, bytes.length)) {
    if (at >= end) break;
    if (link === undefined) known.set(withoutDot(name), placed);
  }
  return known;
}

const withoutDot = (path: string): string => path.replace(/^(\.\/)+/, "");

interface RawEntry {
  /** Where its header begins. */
  readonly at: number;
  readonly name: string;
  readonly header: string;
  /** What a link leads to. */
  readonly link: string | undefined;
  readonly placed: Placed;
}

/** Regular files, sparse ones and links. */
function* readEntries(bytes: Bytes, start: number, end: number): Generator<RawEntry> {
  let extension: Extension = {};
  let forAll: Extension = {};
  for (let at = start; at < end; ) {
    const block = at + BLOCK <= end ? bytes.read(at, BLOCK) : Buffer.alloc(0);
    if (block.length < BLOCK) throw at === start ? damaged(bytes.read(start, 4), at, start) : cutOff(at);
    const header = readHeader(block);
    if (header?.nullBlock) return;
    const isLink = header !== undefined && LINKS.has(header.type);
    const own = header !== undefined && EXTENSIONS.has(header.type) ? {} : { ...forAll, ...extension };
    const size = isLink ? 0 : (own.size ?? header?.size); // some writers give a link the size of its file
    if (!header?.cksumValid || size === undefined || !Number.isSafeInteger(size)) throw damaged(block, at, start);
    const body = at + BLOCK;
    const begins = at;
    at = body + Math.ceil(size / BLOCK) * BLOCK;
    if (header.type === "ExtendedHeader") extension = { ...extension, ...readPax(readShort(bytes, body, size)) };
    else if (header.type === "GlobalExtendedHeader") forAll = { ...forAll, ...readPax(readShort(bytes, body, size)) };
    else if (header.type === "NextFileHasLongPath") extension = { ...extension, path: readName(bytes, body, size) };
    else if (header.type === "NextFileHasLongLinkpath")
      extension = { ...extension, linkPath: readName(bytes, body, size) };
    else {
      const path = own.path ?? header.path ?? "";
      if (body + size > end) throw new AlexnetError("damaged-file", `archive cut off in the middle of ${path}`);
      const isSparse = header.type === "SparseFile" || own.isSparse === true;
      if (isSparse || isLink || FILES.has(header.type))
        yield {
          at: begins,
          name: own.isSparse ? path.replace(/(^|\/)GNUSparseFile\.\d+\//, "$1") : path,
          header: header.type,
          link: isLink ? (own.linkPath ?? header.linkpath ?? "") : undefined,
          placed: { offset: body, length: size, ...(isSparse && { fault: SPARSE }) },
        };
      if (header.type === "SparseFile") at += moreOfSparseHeader(bytes, block, body);
      extension = {};
    }
  }
  throw new AlexnetError("damaged-file", "archive cut off: its end is missing");
}

function cutOff(at: number): AlexnetError {
  return new AlexnetError("damaged-file", `archive cut off at byte ${at}`);
}

function damaged(block: Buffer, at: number, start: number): AlexnetError {
  const compressed = at === start && ["1f8b", "425a68", "fd377a", "28b52f", "504b03"].some(beginsWith(block));
  if (compressed) return new AlexnetError("damaged-file", "a compressed archive, not a tar; unpack it first");
  if (block.length < BLOCK) return cutOff(at);
  return new AlexnetError("damaged-file", `damaged archive at byte ${at}; nothing behind it is readable`);
}

const beginsWith = (block: Buffer) => (start: string) => block.toString("hex", 0, start.length / 2) === start;

const EXTENSIONS = new Set([
  "ExtendedHeader",
  "GlobalExtendedHeader",
  "NextFileHasLongPath",
  "NextFileHasLongLinkpath",
]);
const FILES = new Set(["File", "OldFile", "ContiguousFile"]);
const LINKS = new Set(["Link", "SymbolicLink"]);
const SPARSE = "a sparse file in its archive, which is not read; archive it without --sparse";

/** Bytes of the blocks that go on with a list of holes: GNU's sparse headers say by a flag whether one follows. */
function moreOfSparseHeader(bytes: Bytes, header: Buffer, body: number): number {
  let blocks = 0;
  for (let goesOn = header[482] !== 0; goesOn; blocks++) {
    const block = bytes.read(body + blocks * BLOCK, BLOCK);
    goesOn = block.length === BLOCK && block[504] !== 0;
  }
  return blocks * BLOCK;
}

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

/** Up to the first zero. */
function readName(bytes: Bytes, offset: number, length: number): string {
  return readShort(bytes, offset, length).toString("utf8").replace(/\0.*/s, "");
}

/** A pax header: records of `length keyword=value\n`, length counting all of that; values may have line breaks. */
function readPax(data: Buffer): Extension {
  let extension: Extension = {};
  for (let at = 0; at < data.length; ) {
    const length = Number(/^\d+ /.exec(data.toString("latin1", at, at + 12))?.[0]);
    if (!(length > 0)) break;
    const [, keyword, value = ""] = /^\d+ ([^=]*)=(.*)\n$/s.exec(data.toString("utf8", at, at + length)) ?? [];
    if (keyword === "path") extension = { ...extension, path: value.replace(/\0.*/s, "") };
    if (keyword === "linkpath") extension = { ...extension, linkPath: value.replace(/\0.*/s, "") };
    if (keyword?.startsWith("GNU.sparse.")) extension = { ...extension, isSparse: true };
    if (keyword === "GNU.sparse.name") extension = { ...extension, path: value };
    if (keyword === "size") extension = { ...extension, size: /^\d+$/.test(value) ? Number(value) : Number.NaN };
    at += length;
  }
  return extension;
}
