import { pictureBytes } from "../network/picture.js";
import type { PictureSums } from "./picture-sums.js";

/**
 * Sums over training pictures from which the mean image and the RGB covariance follow. All are integers below 2^53 or
 * bigints, so adding them up in any order, by any number of workers, gives the same to the last bit.
 */
export interface Sums {
  /** (size, size, 3): sum of each pixel over the pictures. */
  readonly pixels: Float64Array;
  /** Over all pixels: rr, rg, rb, gg, gb, bb. */
  readonly products: readonly bigint[];
}

/** The principal components of RGB over all training pixels, the largest first; units of 0 to 255. */
export interface ColourComponents {
  readonly values: readonly [number, number, number];
  /** Unit vectors (red, green, blue); their largest entry is positive. */
  readonly vectors: readonly [Vector, Vector, Vector];
}

type Vector = readonly [number, number, number];
type Matrix = readonly [Vector, Vector, Vector];

export const noSums = (pictureSize: number): Sums => ({
  pixels: new Float64Array(pictureBytes(pictureSize)),
  products: [0n, 0n, 0n, 0n, 0n, 0n],
});

/** Adds the sums of some pictures to `sums.pixels`, in place; returns the new sums. */
export function addSums(sums: Sums, { pixels, products }: PictureSums): Sums {
  for (let i = 0; i < pixels.length; i++) sums.pixels[i] += pixels[i];
  return { pixels: sums.pixels, products: sums.products.map((sum, i) => sum + BigInt(products[i] ?? 0)) };
}

/** Mean image (size, size, 3) and covariance of red, green and blue over all pixels of `count` pictures. */
export function summarise(sums: Sums, count: number): { mean: Float32Array; covariance: Matrix } {
  const mean = new Float32Array(sums.pixels.length);
  const totals = [0n, 0n, 0n];
  for (let i = 0; i < mean.length; i++) {
    mean[i] = sums.pixels[i] / Math.max(1, count);
    totals[i % 3] += BigInt(sums.pixels[i]);
  }
  const pixelCount = BigInt(Math.max(1, count) * (mean.length / 3));
  const [rr, rg, rb, gg, gb, bb] = sums.products;
  const [r, g, b] = totals;
  const entry = (product: bigint, x: bigint, y: bigint) => quotient(product * pixelCount - x * y, pixelCount ** 2n);
  const [crg, crb, cgb] = [entry(rg, r, g), entry(rb, r, b), entry(gb, g, b)];
  return {
    mean,
    covariance: [
      [entry(rr, r, r), crg, crb],
      [crg, entry(gg, g, g), cgb],
      [crb, cgb, entry(bb, b, b)],
    ],
  };
}

/** The ratio of two integers to about 9 digits after the point, whatever their size. */
function quotient(numerator: bigint, denominator: bigint): number {
  return Number((numerator * 1_000_000_000n) / denominator) / 1e9;
}

/** Eigenvalues and eigenvectors of a symmetric 3x3 matrix (cyclic Jacobi rotations). */
export function principalComponents(covariance: Matrix): ColourComponents {
  const a = covariance.map((row) => [...row]);
  const v = [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ];
  for (let sweep = 0; sweep < 30; sweep++)
    for (const [p, q] of [
      [0, 1],
      [0, 2],
      [1, 2],
    ])
      rotate(a, v, p, q);
  const order = [0, 1, 2].sort((i, j) => a[j][j] - a[i][i]);
  const vectors = order.map((i) => upright([v[0][i], v[1][i], v[2][i]]));
  return {
    values: [
      Math.max(0, a[order[0]][order[0]]),
      Math.max(0, a[order[1]][order[1]]),
      Math.max(0, a[order[2]][order[2]]),
    ],
    vectors: [vectors[0], vectors[1], vectors[2]],
  };
}

/** Makes a[p][q] zero by a rotation of the p and q axes. */
function rotate(a: number[][], v: number[][], p: number, q: number): void {
  if (a[p][q] === 0) return;
  const theta = (a[q][q] - a[p][p]) / (2 * a[p][q]);
  const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.hypot(theta, 1));
  const c = 1 / Math.hypot(t, 1);
  const s = t * c;
  for (const row of [...a, ...v]) [row[p], row[q]] = [c * row[p] - s * row[q], s * row[p] + c * row[q]];
  for (let k = 0; k < 3; k++) [a[p][k], a[q][k]] = [c * a[p][k] - s * a[q][k], s * a[p][k] + c * a[q][k]];
}

/** Of a vector and its opposite, the one whose largest entry is positive. */
function upright(vector: Vector): Vector {
  const largest = vector.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a));
  return largest < 0 ? [-vector[0], -vector[1], -vector[2]] : vector;
}
