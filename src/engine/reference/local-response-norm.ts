import type { LocalResponseNorm } from "../../network/network.js";
import type { Forward, LayerKind } from "./layer.js";

/** y_i = x_i s_i^-beta with s_i = k + alpha sum_j x_j^2, j over the n maps around i (paper section 3.3). */
export const localResponseNorm: LayerKind<LocalResponseNorm> = {
  forward(layer, values) {
    const { x, y } = values;
    forEachPosition(values, (at, channels) => {
      for (let i = 0; i < channels; i++) y[at(i)] = x[at(i)] * divisor(layer, x, at, i, channels) ** -layer.beta;
    });
  },

  /** dx_j = dy_j s_j^-beta - 2 alpha beta x_j sum_i dy_i x_i s_i^(-beta-1), i over the maps whose window holds j. */
  backward(layer, values) {
    const { x, dy, dx } = values;
    const { alpha, beta } = layer;
    forEachPosition(values, (at, channels) => {
      const s = Array.from({ length: channels }, (_, i) => divisor(layer, x, at, i, channels));
      for (let j = 0; j < channels; j++) {
        let sum = 0;
        for (const i of around(layer, j, channels)) sum += dy[at(i)] * x[at(i)] * s[i] ** (-beta - 1);
        dx[at(j)] = dy[at(j)] * s[j] ** -beta - 2 * alpha * beta * x[at(j)] * sum;
      }
    });
  },
};

/** Where map i of one position lies. */
type At = (i: number) => number;

function forEachPosition({ samples, input }: Forward, visit: (at: At, channels: number) => void): void {
  const positions = input.height * input.width;
  for (let sample = 0; sample < samples; sample++)
    for (let position = 0; position < positions; position++)
      visit((i) => (sample * input.channels + i) * positions + position, input.channels);
}

function divisor(layer: LocalResponseNorm, x: Float64Array, at: At, i: number, channels: number): number {
  let squares = 0;
  for (const j of around(layer, i, channels)) squares += x[at(j)] ** 2;
  return layer.k + layer.alpha * squares;
}

/** The maps in the window around `i`, cut at the first and the last. */
function around({ n }: LocalResponseNorm, i: number, channels: number): readonly number[] {
  const reach = (n - 1) / 2;
  const first = Math.max(0, i - reach);
  const last = Math.min(channels - 1, i + reach);
  return Array.from({ length: last - first + 1 }, (_, j) => first + j);
}
