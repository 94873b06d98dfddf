import { PICTURE_BYTES } from "../network/picture.js";
import { instantiateKernel } from "../system/webassembly.js";
import { pictureSumsKernel } from "./picture-sums-kernel.js";

/** Over some pictures; statistics.ts says what follows from them. At most 2^24 pictures. */
export interface PictureSums {
  /** (256, 256, 3): sum of each pixel. */
  readonly pixels: Uint32Array;
  /** Over all pixels: rr, rg, rb, gg, gb, bb. */
  readonly products: readonly number[];
}

const PRODUCTS = 6;
const PARTS = 4; // 32-bit numbers that each product comes in

/** What picture-sums.wat exports. */
interface Kernel {
  readonly memory: WebAssembly.Memory;
  add(): void;
}

/** Adds up pictures, all in integers. */
export class PictureSummation {
  readonly #kernel: Kernel;
  readonly #pixels: Uint32Array;
  readonly #picture: Uint8Array;
  readonly #parts: Uint32Array;
  #products: number[] = [];

  constructor() {
    this.#kernel = instantiateKernel<Kernel>(pictureSumsKernel);
    const { buffer } = this.#kernel.memory;
    this.#pixels = new Uint32Array(buffer, 0, PICTURE_BYTES);
    this.#picture = new Uint8Array(buffer, this.#pixels.byteLength, PICTURE_BYTES);
    this.#parts = new Uint32Array(buffer, this.#pixels.byteLength + PICTURE_BYTES, PRODUCTS * PARTS);
    this.#clear();
  }

  add(picture: Uint8Array): void {
    this.#picture.set(picture);
    this.#kernel.add();
    this.#parts.forEach((part, i) => {
      this.#products[Math.floor(i / PARTS)] += part;
    });
  }

  /** What was added since the last call; the sums of pixels are put into `pixels`. */
  take(pixels = new Uint32Array(PICTURE_BYTES)): PictureSums {
    pixels.set(this.#pixels);
    const sums = { pixels, products: this.#products };
    this.#clear();
    return sums;
  }

  #clear(): void {
    this.#pixels.fill(0);
    this.#products = new Array(PRODUCTS).fill(0);
  }
}
