import type { LocalResponseNorm } from "../../network/network.js";
import { volume } from "../../network/shapes.js";
import type { Forward, LayerKind } from "./layer.js";

/** y_i = x_i s_i^-beta with s_i = k + alpha sum_j x_j^2, j over the window around i (paper section 3.3). */
export const localResponseNorm: LayerKind<LocalResponseNorm> = {
  forward(layer, values) {
    const { x, y } = values;
    const s = divisors(layer, values);
    for (let i = 0; i < s.length; i++) y[i] = x[i] * s[i] ** -layer.beta;
  },

  /** dx_j = dy_j s_j^-beta - 2 alpha beta x_j sum_i dy_i x_i s_i^(-beta-1): i has j in its window when j has i. */
  backward(layer, values) {
    const { x, dy, dx } = values;
    const { alpha, beta } = layer;
    const s = divisors(layer, values);
    const terms = s.map((si, i) => dy[i] * x[i] * si ** (-beta - 1));
    const sums = sumWindows(layer, values, terms);
    for (let j = 0; j < s.length; j++) dx[j] = dy[j] * s[j] ** -beta - 2 * alpha * beta * x[j] * sums[j];
  },
};

function divisors(layer: LocalResponseNorm, values: Forward): Float64Array {
  const squares = values.x.subarray(0, values.samples * volume(values.input)).map((x) => x * x);
  return sumWindows(layer, values, squares).map((sum) => layer.k + layer.alpha * sum);
}

/** For each value the sum of `terms` over its window, cut at the edges. */
function sumWindows(layer: LocalResponseNorm, { samples, input }: Forward, terms: Float64Array): Float64Array {
  const { channels, height, width } = input;
  const { region = "across-maps", groups = 1 } = layer;
  const radius = (layer.n - 1) / 2;
  const [mapRadius, placeRadius] = region === "across-maps" ? [radius, 0] : [0, radius];
  const mapsPerGroup = channels / groups;
  const sums = new Float64Array(terms.length);
  let i = 0;
  for (let sample = 0; sample < samples; sample++)
    for (let map = 0; map < channels; map++) {
      const firstOfGroup = map - (map % mapsPerGroup);
      const firstMap = Math.max(firstOfGroup, map - mapRadius);
      const lastMap = Math.min(firstOfGroup + mapsPerGroup - 1, map + mapRadius);
      for (let row = 0; row < height; row++)
        for (let column = 0; column < width; column++, i++)
          for (let m = firstMap; m <= lastMap; m++)
            for (let r = Math.max(0, row - placeRadius); r <= Math.min(height - 1, row + placeRadius); r++)
              for (let c = Math.max(0, column - placeRadius); c <= Math.min(width - 1, column + placeRadius); c++)
                sums[i] += terms[((sample * channels + m) * height + r) * width + c];
    }
  return sums;
}
