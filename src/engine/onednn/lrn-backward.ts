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
  const power = new Float64Array(channels); // s^-beta
  const slope = new Float64Array(channels); // dy x s^(-beta - 1)
  const factor = 2 * alpha * beta;
  for (let start = 0; start < x.length; start += perGroup) {
    for (let i = 0; i < perGroup; i++) {
      let sum = 0;
      for (let j = Math.max(0, i - reach); j <= Math.min(perGroup - 1, i + reach); j++) sum += x[start + j] ** 2;
      const s = k + alpha * sum;
      power[i] = beta === 0.75 ? 1 / (Math.sqrt(s) * Math.sqrt(Math.sqrt(s))) : s ** -beta;
      slope[i] = (dy[start + i] * x[start + i] * power[i]) / s;
    }
    for (let i = 0; i < perGroup; i++) {
      let sum = 0;
      for (let j = Math.max(0, i - reach); j <= Math.min(perGroup - 1, i + reach); j++) sum += slope[j];
      dx[start + i] = dy[start + i] * power[i] - factor * x[start + i] * sum;
    }
  }
}
