import { pictureBytes } from "../network/picture.js";
import { instantiateKernel } from "../system/webassembly.js";

import { resampleKernel } from "./resample-kernel.js";

/** The part of some pixels that becomes the picture, in their own, fractional coordinates. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

const LOBES = 3; // Lanczos3
const UNIT = 1 << 14; // the weight 1
const SLACK = 16; // bytes the kernel may look at beyond an end
const KEPT_PAGES = 1024; // of 64 KiB: a kernel that had a huge picture is not kept
const PAGE = 65536;

/**
 * Scales a box of some pixels to a square of `size` by Lanczos3, widened when shrinking so that nothing aliases. In integers:
 * the same on every machine.
 * @param fill writes the pixels, (height, width, 3), into memory lent to it
 * @param into gets the picture, (size, size, 3)
 */
export function resample(
  width: number,
  height: number,
  fill: (pixels: Uint8Array) => void,
  box: Box,
  into: Uint8Array,
  size: number,
): void {
  const lineBytes = size * 3 * 2; // of a narrowed row
  const columns = columnFilters.find(box.left, box.width, width, size);
  const rows = rowFilters.find(box.top, box.height, height, size);
  const firstRow = rows.first.at(0) ?? 0;
  const rowCount = (rows.first.at(-1) ?? 0) + rows.taps - firstRow;

  const layout = new Layout();
  const pixels = layout.add(width * height * 3);
  const lines = layout.add((rowCount + 1) * lineBytes);
  const columnFirsts = layout.add(size * 4);
  const columnWeights = layout.add(columns.weights.byteLength);
  const rowFirsts = layout.add(size * 4);
  const rowWeights = layout.add(rows.weights.byteLength);
  const picture = layout.add(pictureBytes(size));

  const { memory, narrow, shorten } = kernelWith(layout.size);
  fill(new Uint8Array(memory.buffer, pixels, width * height * 3));
  const columnOffsets = new Int32Array(memory.buffer, columnFirsts, size);
  columns.first.forEach((column, i) => {
    columnOffsets[i] = column * 3;
  });
  new Int16Array(memory.buffer, columnWeights).set(columns.weights);
  const rowOffsets = new Int32Array(memory.buffer, rowFirsts, size);
  rows.first.forEach((row, i) => {
    rowOffsets[i] = (row - firstRow) * lineBytes;
  });
  new Int16Array(memory.buffer, rowWeights).set(rows.weights);
  const stride = width * 3;
  narrow(pixels + firstRow * stride, rowCount, stride, columnFirsts, columnWeights, columns.pairs, size, lines);
  shorten(lines, rowFirsts, rowWeights, rows.pairs, size, picture);
  into.set(new Uint8Array(memory.buffer, picture, pictureBytes(size)));
}

/** Pieces of memory one after the other. */
class Layout {
  size = 0;

  add(bytes: number): number {
    const start = this.size;
    this.size += Math.ceil((bytes + SLACK) / 16) * 16;
    return start;
  }
}

/** What resample.wat exports; addresses are bytes in `memory`. */
interface Kernel {
  readonly memory: WebAssembly.Memory;
  narrow(
    pixels: number,
    rows: number,
    stride: number,
    firsts: number,
    weights: number,
    pairs: number,
    size: number,
    out: number,
  ): void;
  shorten(lines: number, firsts: number, weights: number, pairs: number, size: number, out: number): void;
}

let kept: Kernel | undefined;

function kernelWith(bytes: number): Kernel {
  const kernel = kept ?? instantiateKernel<Kernel>(resampleKernel);
  const pages = Math.ceil(bytes / PAGE);
  const missing = pages - kernel.memory.buffer.byteLength / PAGE;
  if (missing > 0) kernel.memory.grow(missing);
  kept = pages <= KEPT_PAGES ? kernel : undefined;
  return kernel;
}

/** For each output along one side: `taps` inputs from `first` on, their weights in pairs, summing to 1. */
interface Filter {
  readonly taps: number;
  readonly pairs: number;
  readonly first: Int32Array;
  readonly weights: Int16Array;
}

const SLOTS = 128;

/** What the filters of one side are made for; kept, as pictures of one set often share a size. */
class Filters {
  readonly #slots = new Map<number, FilterSlot>();

  /** Good until the next call. */
  find(start: number, length: number, available: number, size: number): Filter {
    const place = Math.floor((available * 31 + length) * 31 + start) % SLOTS;
    let slot = this.#slots.get(place);
    if (slot === undefined) {
      slot = new FilterSlot();
      this.#slots.set(place, slot);
    }
    slot.make(start, length, available, size);
    return slot;
  }
}

/** One filter, made anew in the same memory: sets in which all sizes differ would leave much behind. */
class FilterSlot implements Filter {
  taps = 0;
  pairs = 0;
  first = new Int32Array();
  weights = new Int16Array();
  #start = 0;
  #length = 0;
  #available = 0;

  make(start: number, length: number, available: number, size: number): void {
    const isMade = start === this.#start && length === this.#length && available === this.#available;
    if (isMade && size === this.first.length) return;
    if (size !== this.first.length) this.first = new Int32Array(size);
    [this.#start, this.#length, this.#available] = [start, length, available];
    const scale = length / size;
    const stretch = Math.max(1, scale);
    const reach = LOBES * stretch;
    this.taps = Math.min(available, Math.ceil(reach * 2) + 1);
    this.pairs = Math.ceil(this.taps / 2);
    this.#clearWeights(size * this.pairs * 2);
    const exact = new Float64Array(this.taps);
    for (let i = 0; i < size; i++) {
      const centre = start + (i + 0.5) * scale;
      const first = Math.max(0, Math.min(available - this.taps, Math.ceil(centre - reach - 0.5)));
      for (let tap = 0; tap < this.taps; tap++) exact[tap] = lanczos((first + tap + 0.5 - centre) / stretch);
      toIntegers(exact, this.weights, i * this.pairs * 2);
      this.first[i] = first;
    }
  }

  #clearWeights(count: number): void {
    const { buffer } = this.weights;
    const fits = buffer.byteLength >= count * Int16Array.BYTES_PER_ELEMENT;
    this.weights = fits ? new Int16Array(buffer, 0, count).fill(0) : new Int16Array(count);
  }
}

const columnFilters = new Filters();
const rowFilters = new Filters();

/** Writes integers in proportion that sum to UNIT, so that an even surface keeps its colour, from `start` on. */
function toIntegers(exact: Float64Array, weights: Int16Array, start: number): void {
  let sum = 0;
  for (const value of exact) sum += value;
  let rest = UNIT;
  let [largest, largestWeight] = [0, Number.NEGATIVE_INFINITY];
  for (const [tap, value] of exact.entries()) {
    const weight = Math.round((value / sum) * UNIT);
    weights[start + tap] = weight;
    rest -= weight;
    if (weight > largestWeight) [largest, largestWeight] = [tap, weight];
  }
  weights[start + largest] = largestWeight + rest;
}

function lanczos(x: number): number {
  if (x === 0) return 1;
  if (Math.abs(x) >= LOBES) return 0;
  const t = Math.PI * x;
  return (LOBES * Math.sin(t) * Math.sin(t / LOBES)) / (t * t);
}
