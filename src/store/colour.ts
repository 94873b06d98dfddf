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
export type Matrix3 = readonly [Vector, Vector, Vector];
type Row = [number, number, number];
/** A place in one. */
type Axis = 0 | 1 | 2;
const axes: readonly Axis[] = [0, 1, 2];
/** All pairs of axes. */
const planes: readonly (readonly [Axis, Axis])[] = [
  [0, 1],
  [0, 2],
  [1, 2],
];

export const noSums = (pictureSize: number): Sums => ({
  pixels: new Float64Array(pictureBytes(pictureSize)),
  products: [0n, 0n, 0n, 0n, 0n, 0n],
});

/** Adds the sums of some pictures to `sums.pixels`, in place; returns the new sums. */
export function addSums(sums: Sums, { pixels, products }: PictureSums): Sums {
  const total = sums.pixels;
  for (let i = 0; i < pixels.length; i++) total[i] = (total[i] ?? 0) + (pixels[i] ?? 0);
  return { pixels: total, products: sums.products.map((sum, i) => sum + BigInt(products[i] ?? 0)) };
}

/** Mean image (size, size, 3) and covariance of red, green and blue over all pixels of `count` pictures. */
export function summarise(sums: Sums, count: number): { mean: Float32Array; covariance: Matrix3 } {
  const mean = Float32Array.from(sums.pixels, (sum) => sum / Math.max(1, count));
  const totals: [bigint, bigint, bigint] = [0n, 0n, 0n];
  for (const channel of axes)
    for (let i: number = channel; i < sums.pixels.length; i += 3) totals[channel] += BigInt(sums.pixels[i] ?? 0);
  const pixelCount = BigInt(Math.max(1, count) * (mean.length / 3));
  const [rr = 0n, rg = 0n, rb = 0n, gg = 0n, gb = 0n, bb = 0n] = sums.products;
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
export function principalComponents(covariance: Matrix3): ColourComponents {
  const [first, second, third] = covariance;
  const a: [Row, Row, Row] = [[...first], [...second], [...third]];
  const v: [Row, Row, Row] = [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ];
  for (let sweep = 0; sweep < 30; sweep++) for (const [p, q] of planes) rotate(a, v, p, q);
  const component = (i: Axis) => ({ value: Math.max(0, a[i][i]), vector: upright([v[0][i], v[1][i], v[2][i]]) });
  const [largest = 0, middle = 1, smallest = 2] = [...axes].sort((i, j) => a[j][j] - a[i][i]);
  const components = [component(largest), component(middle), component(smallest)] as const;
  return {
    values: [components[0].value, components[1].value, components[2].value],
    vectors: [components[0].vector, components[1].vector, components[2].vector],
  };
}

/** Makes a[p][q] zero by a rotation of the p and q axes. */
function rotate(a: [Row, Row, Row], v: [Row, Row, Row], p: Axis, q: Axis): void {
  if (a[p][q] === 0) return;
  const theta = (a[q][q] - a[p][p]) / (2 * a[p][q]);
  const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.hypot(theta, 1));
  const c = 1 / Math.hypot(t, 1);
  const s = t * c;
  for (const row of [...a, ...v]) [row[p], row[q]] = [c * row[p] - s * row[q], s * row[p] + c * row[q]];
  for (const k of axes) [a[p][k], a[q][k]] = [c * a[p][k] - s * a[q][k], s * a[p][k] + c * a[q][k]];
}

/** Of a vector and its opposite, the one whose largest entry is positive. */
function upright(vector: Vector): Vector {
  const largest = vector.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a));
  return largest < 0 ? [-vector[0], -vector[1], -vector[2]] : vector;
}
