import { pictureBytes } from "../../network/picture.js";

/** Pictures that a worker prepares at once. */
export const GROUP = 16;

/** Bytes of the largest JPEG of (size, size) full colour pixels, as libjpeg-turbo has it. */
const largest = (size: number): number => 2 * pictureBytes(Math.ceil(size / 16) * 16) + 2048;
const sumsBytes = (size: number): number => pictureBytes(size) * Uint32Array.BYTES_PER_ELEMENT;

/**
 * Where a worker puts what it made of a group of pictures: their sums, and the encoded pictures one after the other.
 * Such memory goes to and fro between the threads and is used over and over, for what lies about until a garbage
 * collection would make the peak depend on luck. Only what was once written to takes memory.
 */
export class GroupMemory {
  #end: number;

  constructor(
    readonly size: number,
    readonly buffer = new ArrayBuffer(sumsBytes(size) + GROUP * largest(size)),
  ) {
    this.#end = sumsBytes(size);
  }

  /** (size, size, 3) */
  get sums(): Uint32Array<ArrayBuffer> {
    return new Uint32Array(this.buffer, 0, pictureBytes(this.size));
  }

  /** Puts a picture behind the others. @returns it there */
  add(encoded: Uint8Array): Uint8Array {
    const place = new Uint8Array(this.buffer, this.#end, encoded.length);
    place.set(encoded);
    this.#end += encoded.length;
    return place;
  }
}
