import { PICTURE_BYTES } from "../../network/picture.js";

/** Pictures that a worker prepares at once. */
export const GROUP = 16;

const LARGEST = 2 * PICTURE_BYTES + 2048; // bytes of a JPEG of 256x256 full colour pixels, as libjpeg-turbo has it
const SUMS_BYTES = PICTURE_BYTES * Uint32Array.BYTES_PER_ELEMENT;

/**
 * Where a worker puts what it made of a group of pictures: their sums, and the encoded pictures one after the other.
 * Such memory goes to and fro between the threads and is used over and over, for what lies about until a garbage
 * collection would make the peak depend on luck. Only what was once written to takes memory.
 */
export class GroupMemory {
  #end = SUMS_BYTES;

  constructor(readonly buffer = new ArrayBuffer(SUMS_BYTES + GROUP * LARGEST)) {}

  /** (256, 256, 3) */
  get sums(): Uint32Array<ArrayBuffer> {
    return new Uint32Array(this.buffer, 0, PICTURE_BYTES);
  }

  /** Puts a picture behind the others. @returns it there */
  add(encoded: Uint8Array): Uint8Array {
    const place = new Uint8Array(this.buffer, this.#end, encoded.length);
    place.set(encoded);
    this.#end += encoded.length;
    return place;
  }
}
