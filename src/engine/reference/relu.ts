import type { Relu } from "../../network/network.js";
import { volume } from "../../network/shapes.js";
import type { LayerKind } from "./layer.js";

/** max(0, x); the gradient at 0 is 0. */
export const relu: LayerKind<Relu> = {
  forward(_layer, { samples, input, x, y }) {
    for (let i = 0; i < samples * volume(input); i++) y[i] = Math.max(x[i], 0);
  },

  backward(_layer, { samples, input, x, dy, dx }) {
    for (let i = 0; i < samples * volume(input); i++) dx[i] = x[i] > 0 ? dy[i] : 0;
  },
};
