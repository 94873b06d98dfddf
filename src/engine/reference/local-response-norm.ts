import type { LocalResponseNorm } from "../../network/network.js";
import type { Shape } from "../../network/shapes.js";
import type { Forward, LayerKind } from "./layer.js";

/** y_i = x_i s_i^-beta with s_i = k + alpha sum_j x_j^2, j over the window around i (paper section 3.3). */
export const localResponseNorm: LayerKind<LocalResponseNorm> = {
  forward(layer, values) {
    const { x, y } = values;
    forEachValue(layer, values, (i, window) => {
      y[i] = x[i] * divisor(layer, x, window) ** -layer.beta;
    });
  },

  /** dx_j = dy_j s_j^-beta - 2 alpha beta x_j sum_i dy_i x_i s_i^(-beta-1), i over the values whose window holds j. */
  backward(layer, values) {
    const { x, dy, dx } = values;
    const { alpha, beta } = layer;
    const s = new Float64Array(x.length);
    forEachValue(layer, values, (i, window) => {
      s[i] = divisor(layer, x, window);
    });
    // i's window holds j exactly when j's window holds i.
    forEachValue(layer, values, (j, window) => {
      let sum = 0;
      for (const i of window) sum += dy[i] * x[i] * s[i] ** (-beta - 1);
      dx[j] = dy[j] * s[j] ** -beta - 2 * alpha * beta * x[j] * sum;
    });
  },
};

function divisor(layer: LocalResponseNorm, x: Float64Array, window: readonly number[]): number {
  let squares = 0;
  for (const j of window) squares += x[j] ** 2;
  return layer.k + layer.alpha * squares;
}

/** Visits every value with the indices of its window, itself among them. */
function forEachValue(
  layer: LocalResponseNorm,
  { samples, input }: Forward,
  visit: (i: number, window: readonly number[]) => void,
): void {
  const places = input.height * input.width;
  for (let sample = 0; sample < samples; sample++)
    for (let map = 0; map < input.channels; map++)
      for (let place = 0; place < places; place++) {
        const picture = sample * input.channels * places;
        const window = layer.region === "within-map" ? withinMap : acrossMaps;
        visit(picture + map * places + place, window(layer, input, picture, map, place));
      }
}

/** n maps at one place, cut at the first and the last map of the group. */
function acrossMaps({ n, groups = 1 }: LocalResponseNorm, input: Shape, picture: number, map: number, place: number) {
  const group = input.channels / groups;
  const first = Math.floor(map / group) * group;
  return around(map, n, first, first + group - 1).map((j) => picture + j * input.height * input.width + place);
}

/** n x n places of one map, cut at its edges. */
function withinMap({ n }: LocalResponseNorm, { height, width }: Shape, picture: number, map: number, place: number) {
  const columns = around(place % width, n, 0, width - 1);
  return around(Math.floor(place / width), n, 0, height - 1).flatMap((row) =>
    columns.map((column) => picture + (map * height + row) * width + column),
  );
}

/** The whole numbers from first to last in the window of n around i. */
function around(i: number, n: number, first: number, last: number): readonly number[] {
  const reach = (n - 1) / 2;
  const from = Math.max(first, i - reach);
  return Array.from({ length: Math.min(last, i + reach) - from + 1 }, (_, j) => from + j);
}
