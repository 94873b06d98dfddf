import { closeSync, fstatSync } from "node:fs";
import { AlexnetError } from "../../errors.js";
import { openToRead, readAt } from "../../system/file-reading.js";
import type { ParquetRows } from "../sources/parquet.js";
import type { Place } from "../sources/source.js";

const LARGEST_FILE = 512e6; // bytes; no picture within the pixel limit that people keep takes more

const KEPT = 4e6; // bytes of memory for the next file

/** Reads pictures of a source, one after the other. */
export class PictureBytesReader {
  #kept = new Uint8Array(0);
  #rows: ParquetRows | undefined;

  /**
   * The bytes of one picture, good until the next call: their memory is used again. Files are read at once, this thread
   * being there for nothing else: Node's asynchronous way costs a tenth of decoding.
   * @throws AlexnetError "unusable-data" or "damaged-file", or the system's error.
   */
  async read(place: Place): Promise<Uint8Array> {
    if (place.kind === "row") {
      const { ParquetRows } = await import("../sources/parquet.js"); // its library takes as long to load as fifty pictures
      this.#rows ??= new ParquetRows();
      return this.#rows.read(place.path, place.column, place.group, place.row);
    }
    const file = openToRead(place.path);
    try {
      const offset = place.kind === "range" ? place.offset : 0;
      const length = place.kind === "range" ? place.length : fstatSync(file).size;
      if (length > LARGEST_FILE)
        throw new AlexnetError("unusable-data", `${Math.round(length / 1e6)} MB is no picture's size`);
      const bytes = this.#memoryFor(length);
      const done = readAt(file, bytes, offset);
      if (done < length) throw new AlexnetError("damaged-file", `ends after ${done} of ${length} bytes`);
      return bytes;
    } finally {
      closeSync(file);
    }
  }

  async close(): Promise<void> {
    await this.#rows?.close();
  }

  #memoryFor(length: number): Uint8Array {
    if (length > KEPT) return new Uint8Array(length);
    if (length > this.#kept.length) this.#kept = new Uint8Array(Math.min(KEPT, 2 * length));
    return this.#kept.subarray(0, length);
  }
}
