import type { FullyConnected } from "../../network/network.js";
import { volume } from "../../network/shapes.js";
import type { LayerKind } from "./layer.js";

export const fullyConnected: LayerKind<FullyConnected> = {
  forward({ outputs }, { samples, input, x, w, b, y }) {
    const inputs = volume(input);
    for (let sample = 0; sample < samples; sample++)
      for (let o = 0; o < outputs; o++) {
        let sum = b[o];
        for (let i = 0; i < inputs; i++) sum += w[o * inputs + i] * x[sample * inputs + i];
        y[sample * outputs + o] = sum;
      }
  },

  backward({ outputs }, { samples, input, x, w, dy, dx, dw, db }) {
    const inputs = volume(input);
    dx.fill(0);
    dw.fill(0);
    db.fill(0);
    for (let sample = 0; sample < samples; sample++)
      for (let o = 0; o < outputs; o++) {
        const gradient = dy[sample * outputs + o];
        db[o] += gradient;
        for (let i = 0; i < inputs; i++) {
          dx[sample * inputs + i] += w[o * inputs + i] * gradient;
          dw[o * inputs + i] += x[sample * inputs + i] * gradient;
        }
      }
  },
};
