import type { MaxPool } from "../../network/network.js";
import type { Forward, LayerKind } from "./layer.js";

/** Of equal maxima the first, row by row, is the one that gets the gradient. */
export const maxPool: LayerKind<MaxPool> = {
  forward(layer, values) {
    const { x, y } = values;
    forEachMaximum(layer, values, (xi, yi) => {
      y[yi] = x[xi];
    });
  },

  backward(layer, values) {
    const { dy, dx } = values;
    dx.fill(0);
    forEachMaximum(layer, values, (xi, yi) => {
      dx[xi] += dy[yi];
    });
  },
};

/** Every output's index and that of its window's maximum. */
function forEachMaximum(
  { size, stride }: MaxPool,
  { samples, input, output, x }: Forward,
  visit: (xi: number, yi: number) => void,
): void {
  let yi = 0;
  for (let map = 0; map < samples * input.channels; map++)
    for (let row = 0; row < output.height; row++)
      for (let column = 0; column < output.width; column++) {
        const corner = (map * input.height + row * stride) * input.width + column * stride;
        let best = corner;
        for (let i = 0; i < size; i++)
          for (let j = 0; j < size; j++) {
            const xi = corner + i * input.width + j;
            if (x[xi] > x[best] || Number.isNaN(x[xi])) best = xi; // NaN is passed on, not hidden
          }
        visit(best, yi++);
      }
}
