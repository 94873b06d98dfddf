import { PICTURE_BYTES, PICTURE_SIZE } from "./geometry.js";

/** Interleaved 8-bit pixels: (height, width, 3). */
export interface Pixels {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** The part of some pixels that becomes the picture, in their own, fractional coordinates. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

const LOBES = 3; // Lanczos3

/** Scales a box of the pixels to 256x256 by Lanczos3, widened when shrinking so that nothing aliases. */
export function resample({ data, width, height }: Pixels, box: Box): Uint8Array {
  const columns = filter(box.left, box.width, width);
  const rows = filter(box.top, box.height, height);
  const firstRow = rows.first[0];
  const rowCount = rows.first[PICTURE_SIZE - 1] + rows.taps - firstRow;
  const narrowed = new Float32Array(rowCount * PICTURE_SIZE * 3); // (rows in use, 256, 3)
  for (let row = 0, at = 0; row < rowCount; row++) {
    const line = (firstRow + row) * width * 3;
    for (let x = 0; x < PICTURE_SIZE; x++, at += 3) {
      let red = 0;
      let green = 0;
      let blue = 0;
      for (let tap = 0, from = line + columns.first[x] * 3; tap < columns.taps; tap++, from += 3) {
        const weight = columns.weights[x * columns.taps + tap];
        red += weight * data[from];
        green += weight * data[from + 1];
        blue += weight * data[from + 2];
      }
      narrowed[at] = red;
      narrowed[at + 1] = green;
      narrowed[at + 2] = blue;
    }
  }
  const picture = new Uint8Array(PICTURE_BYTES);
  const line = PICTURE_SIZE * 3;
  const sums = new Float32Array(line);
  for (let y = 0; y < PICTURE_SIZE; y++) {
    sums.fill(0.5);
    for (let tap = 0; tap < rows.taps; tap++) {
      const weight = rows.weights[y * rows.taps + tap];
      const from = (rows.first[y] - firstRow + tap) * line;
      for (let i = 0; i < line; i++) sums[i] += weight * narrowed[from + i];
    }
    for (let i = 0; i < line; i++) picture[y * line + i] = Math.max(0, Math.min(255, sums[i]));
  }
  return picture;
}

/** For each of the 256 outputs along one side, `taps` inputs from `first` on with their weights, summing to 1. */
function filter(start: number, length: number, available: number) {
  const scale = length / PICTURE_SIZE;
  const stretch = Math.max(1, scale);
  const taps = Math.min(available, Math.ceil(LOBES * stretch) * 2 + 1);
  const first = new Int32Array(PICTURE_SIZE);
  const weights = new Float32Array(PICTURE_SIZE * taps);
  for (let i = 0; i < PICTURE_SIZE; i++) {
    const centre = start + (i + 0.5) * scale;
    first[i] = Math.max(0, Math.min(available - taps, Math.floor(centre) - ((taps - 1) >> 1)));
    let sum = 0;
    for (let tap = 0; tap < taps; tap++) {
      const weight = lanczos((first[i] + tap + 0.5 - centre) / stretch);
      weights[i * taps + tap] = weight;
      sum += weight;
    }
    for (let tap = 0; tap < taps; tap++) weights[i * taps + tap] /= sum;
  }
  return { taps, first, weights };
}

function lanczos(x: number): number {
  if (x === 0) return 1;
  if (Math.abs(x) >= LOBES) return 0;
  const t = Math.PI * x;
  return (LOBES * Math.sin(t) * Math.sin(t / LOBES)) / (t * t);
}
