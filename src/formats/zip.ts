import { closeSync, openSync, readSync } from "node:fs";
import yauzl from "yauzl";
import yazl from "yazl";
import { AlexnetError } from "../errors.js";
import { crc32 } from "./crc32.js";

/** An open ZIP archive of stored (not compressed) files, read one by one. */
export interface Archive {
  /** Sizes by name. */
  readonly sizes: ReadonlyMap<string, number>;
  /** @throws AlexnetError "format" when there is no such file or its checksum is wrong. */
  read(name: string): Uint8Array;
  close(): void;
}

interface Place {
  readonly start: number;
  readonly size: number;
  readonly crc: number;
}

const CHUNK = 1 << 28; // read calls are cut below the system's 2 GiB limit

/** @throws AlexnetError "format" naming the file and what is wrong with it. */
export async function openArchive(path: string): Promise<Archive> {
  const places = await findFiles(path);
  const file = openSync(path, "r");
  return {
    sizes: new Map([...places].map(([name, { size }]) => [name, size])),
    read(name) {
      const place = places.get(name);
      if (place === undefined) throw new AlexnetError("format", `${path}: holds no file ${name}`);
      const bytes = readRange(file, place, path);
      if (crc32(bytes) !== place.crc)
        throw new AlexnetError("format", `${path}: ${name} is damaged: its checksum is not the archive's`);
      return bytes;
    },
    close: () => closeSync(file),
  };
}

async function findFiles(path: string): Promise<Map<string, Place>> {
  try {
    const archive = await yauzl.openPromise(path, { autoClose: false });
    try {
      const places = new Map<string, Place>();
      for await (const entry of archive.eachEntry()) {
        const { fileName, compressionMethod, compressedSize, uncompressedSize, crc32: crc } = entry;
        if (places.has(fileName)) throw new Error(`two files are named ${fileName}`);
        if (compressionMethod !== 0 || entry.isEncrypted()) throw new Error(`${fileName} is compressed or encrypted`);
        const { fileDataStart: start } = await archive.readLocalFileHeaderPromise(entry, { minimal: true });
        if (compressedSize !== uncompressedSize || start + compressedSize > archive.fileSize)
          throw new Error(`${fileName} reaches over the archive's end`);
        places.set(fileName, { start, size: compressedSize, crc });
      }
      return places;
    } finally {
      archive.close();
    }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new AlexnetError("format", `${path}: not a whole ZIP archive of stored files: ${why}`, { cause: error });
  }
}

function readRange(file: number, { start, size }: Place, path: string): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let done = 0; done < size; ) {
    const read = readSync(file, bytes, done, Math.min(CHUNK, size - done), start + done);
    if (read === 0) throw new AlexnetError("format", `${path}: ended at byte ${start + done}, before its files did`);
    done += read;
  }
  return bytes;
}

/** The bytes of an archive that stores `files` as they are. */
export async function encodeArchive(files: ReadonlyMap<string, Uint8Array>): Promise<readonly Uint8Array[]> {
  const archive = new yazl.ZipFile();
  for (const [name, bytes] of files)
    archive.addBuffer(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), name, {
      compress: false,
      mtime: new Date(1980, 0, 1), // the same model gives the same file
    });
  archive.end();
  const parts: Uint8Array[] = [];
  for await (const chunk of archive.outputStream) parts.push(Buffer.from(chunk));
  return parts;
}
