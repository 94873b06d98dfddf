import type { AveragePool } from "../../network/network.js";
import type { Forward, LayerKind } from "./layer.js";

/** Every value of a window gets the same part of its gradient. */
export const averagePool: LayerKind<AveragePool> = {
  forward(layer, values) {
    const { x, y } = values;
    const share = 1 / layer.size ** 2;
    y.fill(0);
    forEachPair(layer, values, (xi, yi) => {
      y[yi] += share * x[xi];
    });
  },

  backward(layer, values) {
    const { dy, dx } = values;
    const share = 1 / layer.size ** 2;
    dx.fill(0);
    forEachPair(layer, values, (xi, yi) => {
      dx[xi] += share * dy[yi];
    });
  },
};

/** Every output's index with that of each value of its window. */
function forEachPair(
  { size, stride }: AveragePool,
  { samples, input, output }: Forward,
  visit: (xi: number, yi: number) => void,
): void {
  let yi = 0;
  for (let map = 0; map < samples * input.channels; map++)
    for (let row = 0; row < output.height; row++)
      for (let column = 0; column < output.width; column++, yi++) {
        const corner = (map * input.height + row * stride) * input.width + column * stride;
        for (let i = 0; i < size; i++) for (let j = 0; j < size; j++) visit(corner + i * input.width + j, yi);
      }
}
