import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { Header } from "tar/header";
import { Pax } from "tar/pax";
import { AlexnetError } from "../../errors.js";

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
  const file = openSync(path, "r");
  try {
    yield* use({
      length: fstatSync(file).size,
      read(offset, length) {
        const buffer = Buffer.alloc(length);
        let done = 0;
        for (let read = -1; read !== 0 && done < length; done += read)
          read = readSync(file, buffer, done, length - done, offset + done);
        return buffer.subarray(0, done);
      },
    });
  } finally {
    closeSync(file);
  }
}

/**
 * The regular files in a tar archive, or in an archive inside it, from their headers alone.
 * @throws AlexnetError "data" where the archive is cut or damaged; what came before is good.
 */
export function* readTar(bytes: Bytes, start = 0, end = bytes.length): Generator<TarEntry> {
  let extension: Pax | undefined;
  let globalExtension: Pax | undefined;
  for (let at = start; at < end; ) {
    const block = at + BLOCK <= end ? bytes.read(at, BLOCK) : Buffer.alloc(0);
    if (block.length < BLOCK) throw new AlexnetError("data", `archive cut off at byte ${at}`);
    const header = new Header(block, 0, extension, globalExtension);
    if (header.nullBlock) return;
    if (!header.cksumValid || header.size === undefined)
      throw new AlexnetError("data", `damaged archive at byte ${at}; nothing behind it is readable`);
    const body = at + BLOCK;
    const { type, size } = header;
    at = body + Math.ceil(size / BLOCK) * BLOCK;
    if (type === "ExtendedHeader") extension = Pax.parse(readText(bytes, body, size), extension);
    else if (type === "GlobalExtendedHeader")
      globalExtension = Pax.parse(readText(bytes, body, size), globalExtension, true);
    else if (type === "NextFileHasLongPath") {
      const path = readText(bytes, body, size).replace(/\0.*/s, "");
      extension = new Pax({ ...extension, path });
    } else if (type !== "NextFileHasLongLinkpath") {
      if (body + size > end) throw new AlexnetError("data", `archive cut off in the middle of ${header.path}`);
      if (type === "File" || type === "OldFile" || type === "ContiguousFile")
        yield { path: header.path ?? "", offset: body, length: size };
      extension = undefined;
    }
  }
}

function readText(bytes: Bytes, offset: number, length: number): string {
  if (length > LONGEST_EXTENSION)
    throw new AlexnetError("data", `damaged archive at byte ${offset}: a name of ${length} bytes`);
  return bytes.read(offset, length).toString("utf8");
}
