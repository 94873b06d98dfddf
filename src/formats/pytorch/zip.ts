import { closeSync, fstatSync, openSync } from "node:fs";
import yauzl from "yauzl";
import yazl from "yazl";
import { AlexnetError } from "../../errors.js";
import { readAt } from "../../system/file-reading.js";
import { crc32 } from "./crc32.js";

/** An open ZIP archive whose stored (not compressed) files are read one by one. */
export interface Archive {
  /** Sizes by name, of compressed files too. */
  readonly sizes: ReadonlyMap<string, number>;
  /** @throws AlexnetError "damaged-file" when there is no such file or its checksum is wrong. */
  read(name: string): Uint8Array;
  close(): void;
}

interface Place {
  readonly start: number;
  readonly size: number;
  readonly crc: number;
  /** Compressed or encrypted. */
  readonly isPacked: boolean;
}

/** @throws AlexnetError "damaged-file" naming the file and what is wrong with it. */
export async function openArchive(path: string): Promise<Archive> {
  const file = openSync(path, "r");
  try {
    const places = await findFiles(file, path);
    return {
      sizes: new Map([...places].map(([name, { size }]) => [name, size])),
      read(name) {
        const place = places.get(name);
        if (place === undefined) throw new AlexnetError("damaged-file", `${path}: holds no file ${name}`);
        if (place.isPacked)
          throw new AlexnetError(
            "unsupported",
            `${path}: ${name} is compressed or encrypted; torch.save stores files as they are`,
          );
        const bytes = new Uint8Array(place.size);
        if (readAt(file, bytes, place.start) < place.size)
          throw new AlexnetError("damaged-file", `${path}: ended before ${name} did`);
        if (crc32(bytes) !== place.crc)
          throw new AlexnetError("damaged-file", `${path}: ${name} is damaged: its checksum is not the archive's`);
        return bytes;
      },
      close: () => closeSync(file),
    };
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

async function findFiles(file: number, path: string): Promise<Map<string, Place>> {
  const { size: fileSize } = fstatSync(file);
  try {
    const archive = await yauzl.fromRandomAccessReaderPromise(new Reader(file), fileSize, { autoClose: false });
    const places = new Map<string, Place>();
    for await (const entry of archive.eachEntry()) {
      const { fileName, compressionMethod, compressedSize: size, uncompressedSize, crc32: crc } = entry;
      if (places.has(fileName)) throw new Error(`two files are named ${fileName}`);
      const isPacked = compressionMethod !== 0 || entry.isEncrypted();
      const { fileDataStart: start } = await archive.readLocalFileHeaderPromise(entry, { minimal: true });
      if ((!isPacked && size !== uncompressedSize) || start + size > fileSize)
        throw new Error(`${fileName} is not all there`);
      places.set(fileName, { start, size, crc, isPacked });
    }
    return places;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new AlexnetError("damaged-file", `${path}: not a whole ZIP archive of stored files: ${why}`, {
      cause: error,
    });
  }
}

/** yauzl's own reader throws, where nobody can catch it, at offsets that no file can have. */
class Reader extends yauzl.RandomAccessReader {
  constructor(readonly file: number) {
    super();
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null) => void,
  ): void {
    const bytes = buffer.subarray(offset, offset + length);
    const whole = Number.isSafeInteger(position) && position >= 0 && readAt(this.file, bytes, position) === length;
    setImmediate(callback, whole ? null : new Error(`it refers to byte ${position}, which is not there`));
  }
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
