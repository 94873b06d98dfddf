import type { LocalResponseNorm } from "../../../network/network.js";
import { floatsAt, type Place } from "./memory.js";

interface NormGradientConstants {
  readonly layer: LocalResponseNorm;
  readonly channels: number;
  /** Numbers a sample, channels innermost. */
  readonly length: number;
  readonly x: Place;
  readonly dy: Place;
  readonly dx: Place;
}

/**
 * The gradient of response normalisation across maps, for where the library has no quick one (oneDNN 3 on AVX2; maps
 * not divisible by 8): with s = k + alpha * window sum of x^2,
 * dx_i = dy_i s_i^-beta - 2 alpha beta x_i sum_j dy_j x_j s_j^(-beta - 1).
 */
export function normGradient({ layer, channels, length, ...places }: NormGradientConstants): (sample: number) => void {
  const { n, k, alpha, beta, groups = 1 } = layer;
  const [x, dy, dx] = [places.x, places.dy, places.dx].map(floatsAt);
  const radius = n >> 1;
  const perGroup = channels / groups;
  const square = new Float64Array(perGroup);
  const power = new Float64Array(perGroup); // s^-beta
  const share = new Float64Array(perGroup); // dy x s^(-beta - 1)
  const factor = 2 * alpha * beta;
  return (sample) => {
    for (let start = sample * length; start < (sample + 1) * length; start += perGroup) {
      for (let i = 0; i < perGroup; i++) square[i] = x[start + i] * x[start + i];
      for (let i = 0; i < perGroup; i++) {
        const s = k + alpha * windowSum(square, i, radius);
        const u = 1 / Math.sqrt(Math.sqrt(s));
        power[i] = beta === 0.75 ? u * u * u : s ** -beta;
        share[i] = dy[start + i] * x[start + i] * power[i] * u * u * u * u;
      }
      for (let i = 0; i < perGroup; i++)
        dx[start + i] = dy[start + i] * power[i] - factor * x[start + i] * windowSum(share, i, radius);
    }
  };
}

/** Of the values up to `radius` places from `centre`, as far as there are any. */
function windowSum(values: Float64Array, centre: number, radius: number): number {
  const first = centre > radius ? centre - radius : 0;
  const last = centre + radius < values.length ? centre + radius : values.length - 1;
  let sum = 0;
  for (let i = first; i <= last; i++) sum += values[i];
  return sum;
}
