import type { Convolution } from "../../network/network.js";
import type { Forward, LayerKind } from "./layer.js";

export const convolution: LayerKind<Convolution> = {
  forward(layer, values) {
    const { x, w, b, y } = values;
    forEachOutput(layer, values, (yi, filter) => {
      y[yi] = b[filter];
    });
    forEachRow(layer, values, (xi, wi, yi, length) => {
      let sum = 0;
      for (let i = 0; i < length; i++) sum += w[wi + i] * x[xi + i];
      y[yi] += sum;
    });
  },

  backward(layer, values) {
    const { x, w, dy, dx, dw, db } = values;
    dx.fill(0);
    dw.fill(0);
    db.fill(0);
    forEachOutput(layer, values, (yi, filter) => {
      db[filter] += dy[yi];
    });
    forEachRow(layer, values, (xi, wi, yi, length) => {
      for (let i = 0; i < length; i++) {
        dx[xi + i] += w[wi + i] * dy[yi];
        dw[wi + i] += x[xi + i] * dy[yi];
      }
    });
  },
};

type Window = Pick<Forward, "samples" | "input" | "output">;

function forEachOutput(
  layer: Convolution,
  { samples, output }: Window,
  visit: (yi: number, filter: number, sample: number, row: number, column: number) => void,
): void {
  let yi = 0;
  for (let sample = 0; sample < samples; sample++)
    for (let filter = 0; filter < layer.filters; filter++)
      for (let row = 0; row < output.height; row++)
        for (let column = 0; column < output.width; column++) visit(yi++, filter, sample, row, column);
}

/** Every output and every row of its filter that meets the input: `length` values from x[xi] and w[wi] give y[yi]. */
function forEachRow(
  layer: Convolution,
  values: Window,
  visit: (xi: number, wi: number, yi: number, length: number) => void,
): void {
  const { filters, size, stride, padding, groups } = layer;
  const { height, width, channels: allChannels } = values.input;
  const channels = allChannels / groups;
  forEachOutput(layer, values, (yi, filter, sample, row, column) => {
    const firstChannel = sample * allChannels + Math.floor((filter * groups) / filters) * channels;
    const top = row * stride - padding;
    const left = column * stride - padding;
    const from = Math.max(0, -left);
    const to = Math.min(size, width - left);
    for (let channel = 0; channel < channels; channel++)
      for (let i = Math.max(0, -top); i < Math.min(size, height - top); i++) {
        const xi = ((firstChannel + channel) * height + top + i) * width + left + from;
        const wi = ((filter * channels + channel) * size + i) * size + from;
        visit(xi, wi, yi, to - from);
      }
  });
}
