import type { Tanh } from "../../network/network.js";
import { volume } from "../../network/shapes.js";
import type { LayerKind } from "./layer.js";

/** tanh(x); its slope is 1 - tanh(x)^2. */
export const tanh: LayerKind<Tanh> = {
  forward(_layer, { samples, input, x, y }) {
    for (let i = 0; i < samples * volume(input); i++) y[i] = Math.tanh(x[i]);
  },

  backward(_layer, { samples, input, y, dy, dx }) {
    for (let i = 0; i < samples * volume(input); i++) dx[i] = dy[i] * (1 - y[i] * y[i]);
  },
};
