import { pictureBytes } from "../network/picture.js";
import { instantiateKernel } from "../system/webassembly.js";
import { pictureSumsKernel } from "./picture-sums-kernel.js";

/** Over some pictures; colour.ts says what follows from them. At most 2^24 pictures. */
export interface PictureSums {
  /** (size, size, 3): sum of each pixel. */
  readonly pixels: Uint32Array;
  /** Over all pixels: rr, rg, rb, gg, gb, bb. */
  readonly products: readonly number[];
}

const PRODUCTS = 6;
const PARTS = 4; // 32-bit numbers that each product comes in
const PRODUCT_BYTES = PRODUCTS * PARTS * Uint32Array.BYTES_PER_ELEMENT;
const STEP = 48; // bytes that the kernel takes at once: 16 pixels
const AT_ONCE = STEP << 14; // bytes whose products fit into 32 bits
const PAGE = 65536; // bytes

/** What picture-sums.wat exports. */
interface Kernel {
  readonly memory: WebAssembly.Memory;
  add(at: number, end: number, sums: number): void;
}

/** Adds up pictures of one size, all in integers. */
export class PictureSummation {
  readonly #kernel: Kernel;
  readonly #parts: Uint32Array;
  readonly #pixels: Uint32Array;
  readonly #picture: Uint8Array;
  /** Where the picture ends for the kernel: it is filled up with black, whose sums nobody asks for. */
  readonly #end: number;
  #products: number[] = [];

  constructor(size: number) {
    const bytes = pictureBytes(size);
    const filled = Math.ceil(bytes / STEP) * STEP;
    this.#kernel = instantiateKernel<Kernel>(pictureSumsKernel);
    const { memory } = this.#kernel;
    const [pixels, picture] = [PRODUCT_BYTES, PRODUCT_BYTES + filled * Uint32Array.BYTES_PER_ELEMENT];
    this.#end = picture + filled;
    memory.grow(Math.ceil(this.#end / PAGE) - memory.buffer.byteLength / PAGE);
    this.#parts = new Uint32Array(memory.buffer, 0, PRODUCTS * PARTS);
    this.#pixels = new Uint32Array(memory.buffer, pixels, bytes);
    this.#picture = new Uint8Array(memory.buffer, picture, bytes);
    this.#clear();
  }

  add(picture: Uint8Array): void {
    this.#picture.set(picture);
    const { byteOffset: start } = this.#picture;
    for (let at = start; at < this.#end; at += AT_ONCE) {
      const sums = this.#pixels.byteOffset + (at - start) * Uint32Array.BYTES_PER_ELEMENT;
      this.#kernel.add(at, Math.min(at + AT_ONCE, this.#end), sums);
      this.#products = this.#products.map((product, i) => product + this.#partsOf(i));
    }
  }

  #partsOf(product: number): number {
    return this.#parts.subarray(product * PARTS, (product + 1) * PARTS).reduce((a, b) => a + b, 0);
  }

  /** What was added since the last call; the sums of pixels are put into `pixels`. */
  take(pixels = new Uint32Array(this.#pixels.length)): PictureSums {
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
