import type { LocalResponseNorm } from "../../../network/network.js";
import { floatsAt, type Place } from "./memory.js";

interface MapNormConstants {
  readonly layer: LocalResponseNorm;
  readonly height: number;
  readonly width: number;
  /** Row-major maps, float32. */
  readonly x: Place;
  readonly y: Place;
}

interface MapNormGradientConstants extends Omit<MapNormConstants, "y"> {
  readonly dy: Place;
  readonly dx: Place;
}

/**
 * Response normalisation within each map, for which the library has only reference code: with s = k + alpha * the sum of
 * x^2 over a square of n by n values, y = x s^-beta. A row is one map of one sample.
 */
export function mapNorm({ layer, height, width, ...places }: MapNormConstants): (map: number) => void {
  const [x, y] = [places.x, places.y].map(floatsAt);
  const { k, alpha, beta } = layer;
  const squares = new Squares(height, width, layer.n >> 1);
  const size = height * width;
  return (map) => {
    const start = map * size;
    const { values } = squares;
    for (let i = 0; i < size; i++) values[i] = x[start + i] * x[start + i];
    const sums = squares.sum();
    for (let i = 0; i < size; i++) y[start + i] = x[start + i] * power(k + alpha * sums[i], beta);
  };
}

/** Its gradient: dx_i = dy_i s_i^-beta - 2 alpha beta x_i sum_j dy_j x_j s_j^(-beta - 1), j in the square around i. */
export function mapNormGradient({ layer, height, width, ...places }: MapNormGradientConstants): (map: number) => void {
  const [x, dy, dx] = [places.x, places.dy, places.dx].map(floatsAt);
  const { k, alpha, beta } = layer;
  const squares = new Squares(height, width, layer.n >> 1);
  const size = height * width;
  const powers = new Float64Array(size); // s^-beta
  const factor = 2 * alpha * beta;
  return (map) => {
    const start = map * size;
    const { values } = squares;
    for (let i = 0; i < size; i++) values[i] = x[start + i] * x[start + i];
    const sums = squares.sum();
    for (let i = 0; i < size; i++) {
      const s = k + alpha * sums[i];
      powers[i] = power(s, beta);
      values[i] = (dy[start + i] * x[start + i] * powers[i]) / s;
    }
    const shares = squares.sum();
    for (let i = 0; i < size; i++) dx[start + i] = dy[start + i] * powers[i] - factor * x[start + i] * shares[i];
  };
}

/** s^-beta; the usual beta of 3/4 needs no logarithm. */
function power(s: number, beta: number): number {
  if (beta !== 0.75) return s ** -beta;
  const root = Math.sqrt(s);
  return 1 / (root * Math.sqrt(root));
}

/** Sums over the square around each value of a map: along its rows, then along its columns. */
class Squares {
  /** Of the map, row after row; to be filled in. */
  readonly values: Float64Array;
  readonly #sums: Float64Array;
  readonly #alongRows: Float64Array;
  /** A row with zeros before and behind it. */
  readonly #padded: Float64Array;

  constructor(
    readonly height: number,
    readonly width: number,
    readonly radius: number,
  ) {
    [this.values, this.#sums, this.#alongRows] = [0, 1, 2].map(() => new Float64Array(height * width));
    this.#padded = new Float64Array(width + 2 * radius);
  }

  /** Valid until the next call. */
  sum(): Float64Array {
    this.#sumAlongRows();
    const { height, width, radius } = this;
    const [sums, alongRows] = [this.#sums, this.#alongRows];
    for (let row = 0; row < height; row++) {
      const first = Math.max(0, row - radius);
      const last = Math.min(height - 1, row + radius);
      const to = row * width;
      for (let column = 0; column < width; column++) sums[to + column] = alongRows[first * width + column];
      for (let from = (first + 1) * width; from <= last * width; from += width)
        for (let column = 0; column < width; column++) sums[to + column] += alongRows[from + column];
    }
    return sums;
  }

  #sumAlongRows(): void {
    const { height, width, radius, values } = this;
    const [padded, alongRows] = [this.#padded, this.#alongRows];
    for (let start = 0; start < height * width; start += width) {
      for (let column = 0; column < width; column++) padded[radius + column] = values[start + column];
      for (let column = 0; column < width; column++) {
        let sum = 0;
        for (let i = 0; i <= 2 * radius; i++) sum += padded[column + i];
        alongRows[start + column] = sum;
      }
    }
  }
}
