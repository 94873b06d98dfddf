import type { Dropout } from "../../network/network.js";
import { volume } from "../../network/shapes.js";
import type { LayerKind } from "./layer.js";

/** Multiplies by the mask: all ones when predicting, drawn afresh each step when training. */
export const dropout: LayerKind<Dropout> = {
  forward(_layer, { samples, input, x, y, mask }) {
    for (let i = 0; i < samples * volume(input); i++) y[i] = x[i] * mask[i];
  },

  backward(_layer, { samples, input, dy, dx, mask }) {
    for (let i = 0; i < samples * volume(input); i++) dx[i] = dy[i] * mask[i];
  },
};
