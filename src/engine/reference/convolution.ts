import type { Convolution } from "../../network/network.js";
import type { Forward, LayerKind } from "./layer.js";

export const convolution: LayerKind<Convolution> = {
  forward(layer, values) {
    const { x, w, b, y, input } = values;
    const { size } = layer;
    forEachWindow(layer, values, ({ yi, filter, channels, xi, wi, top, bottom, left, right }) => {
      let sum = b[filter];
      for (let channel = 0; channel < channels; channel++)
        for (let i = top; i < bottom; i++) {
          const row = xi + (channel * input.height + i) * input.width;
          const filterRow = wi + (channel * size + i) * size;
          for (let j = left; j < right; j++) sum += w[filterRow + j] * x[row + j];
        }
      y[yi] = sum;
    });
  },

  backward(layer, values) {
    const { x, w, dy, dx, dw, db, input } = values;
    const { size } = layer;
    dx.fill(0);
    dw.fill(0);
    db.fill(0);
    forEachWindow(layer, values, ({ yi, filter, channels, xi, wi, top, bottom, left, right }) => {
      const gradient = dy[yi];
      db[filter] += gradient;
      for (let channel = 0; channel < channels; channel++)
        for (let i = top; i < bottom; i++) {
          const row = xi + (channel * input.height + i) * input.width;
          const filterRow = wi + (channel * size + i) * size;
          for (let j = left; j < right; j++) {
            dx[row + j] += w[filterRow + j] * gradient;
            dw[filterRow + j] += x[row + j] * gradient;
          }
        }
    });
  },
};

/** What one output sees. */
interface Window {
  readonly yi: number;
  readonly filter: number;
  readonly channels: number;
  /** Where the window's upper left corner lies in its first channel of x, and in w: padding may put it outside. */
  readonly xi: number;
  readonly wi: number;
  /** The filter's rows and columns that meet the input. */
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
}

function forEachWindow(layer: Convolution, { samples, input, output }: Forward, visit: (window: Window) => void): void {
  const { filters, size, stride, padding, groups } = layer;
  const channels = input.channels / groups;
  let yi = 0;
  for (let sample = 0; sample < samples; sample++)
    for (let filter = 0; filter < filters; filter++) {
      const firstChannel = sample * input.channels + Math.floor((filter * groups) / filters) * channels;
      for (let row = -padding; row < output.height * stride - padding; row += stride)
        for (let column = -padding; column < output.width * stride - padding; column += stride)
          visit({
            yi: yi++,
            filter,
            channels,
            xi: (firstChannel * input.height + row) * input.width + column,
            wi: filter * channels * size * size,
            top: Math.max(0, -row),
            bottom: Math.min(size, input.height - row),
            left: Math.max(0, -column),
            right: Math.min(size, input.width - column),
          });
    }
}
