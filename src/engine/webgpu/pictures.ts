import { type Batch, type Preprocessing, pictureBytes, pictureSizeOf } from "../../network/picture.js";
import { type Build, slice } from "./build.js";
import type { Tensor } from "./dispatch.js";
import { pictureWords } from "./layers/input.js";

/** Brings those pictures of a batch that a view shows to the device, close together. */
export class PictureUpload {
  readonly #build: Build;
  readonly #to: Tensor;
  /** Of a picture, in the batch and on the device. */
  readonly #bytes: number;
  readonly #words: number;
  /** For pictures that are no whole number of words. */
  readonly #padded: Uint32Array<ArrayBuffer>;

  constructor(build: Build, to: Tensor, preprocessing: Preprocessing) {
    this.#build = build;
    this.#to = to;
    this.#bytes = pictureBytes(pictureSizeOf(preprocessing));
    this.#words = pictureWords(preprocessing);
    this.#padded = new Uint32Array(this.#words);
  }

  /** @returns by sample, the index of its picture on the device */
  bring({ pictures, views }: Batch): readonly number[] {
    const shown = [...new Set(views.map(({ picture }) => picture))].sort((a, b) => a - b);
    for (const [place, picture] of shown.entries()) {
      const own = pictures.subarray(picture * this.#bytes, (picture + 1) * this.#bytes);
      new Uint8Array(this.#padded.buffer).set(own);
      this.#build.write(slice(this.#to, place * this.#words, this.#words), this.#padded);
    }
    const places = new Map(shown.map((picture, place) => [picture, place]));
    return views.map(({ picture }) => places.get(picture) ?? 0);
  }
}
