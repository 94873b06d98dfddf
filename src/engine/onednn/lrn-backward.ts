import type { LocalResponseNorm } from "../../network/network.js";

/**
 * The gradient of response normalisation across maps, for where the library has no quick one (oneDNN 3 on AVX2; maps
 * not divisible by 8): with s = k + alpha * window sum of x^2,
 * dx_i = dy_i s_i^-beta - 2 alpha beta x_i sum_j dy_j x_j s_j^(-beta - 1).
 * x, dy and dx are (pixels, channels); dx is overwritten.
 */
export function lrnBackward(
  { n, k, alpha, beta, groups = 1 }: LocalResponseNorm,
  x: Float32Array,
  dy: Float32Array,
  dx: Float32Array,
  channels: number,
): void {
  const reach = n >> 1;
  const perGroup = channels / groups;
  const square = new Float64Array(perGroup);
  const power = new Float64Array(perGroup); // s^-beta
  const slope = new Float64Array(perGroup); // dy x s^(-beta - 1)
  const factor = 2 * alpha * beta;
  for (let start = 0; start < x.length; start += perGroup) {
    for (let i = 0; i < perGroup; i++) square[i] = x[start + i] * x[start + i];
    for (let i = 0; i < perGroup; i++) {
      const s = k + alpha * windowSum(square, i, reach);
      const u = 1 / Math.sqrt(Math.sqrt(s));
      power[i] = beta === 0.75 ? u * u * u : s ** -beta;
      slope[i] = dy[start + i] * x[start + i] * power[i] * u * u * u * u;
    }
    for (let i = 0; i < perGroup; i++)
      dx[start + i] = dy[start + i] * power[i] - factor * x[start + i] * windowSum(slope, i, reach);
  }
}

/** Of the values up to `reach` places from `centre`, as far as there are any. */
function windowSum(values: Float64Array, centre: number, reach: number): number {
  const first = centre > reach ? centre - reach : 0;
  const last = centre + reach < values.length ? centre + reach : values.length - 1;
  let sum = 0;
  for (let i = first; i <= last; i++) sum += values[i];
  return sum;
}
