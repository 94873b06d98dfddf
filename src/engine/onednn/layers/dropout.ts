import type { Dropout } from "../../../network/network.js";
import { type Activation, type Context, rowMajor, type Stage } from "../layer.js";
import { Dropping } from "../rows/dropout.js";
import { sharedFrame } from "../rows/memory.js";

/** Only in training; units are counted in row-major order, as in every engine. */
export function dropout(layer: Dropout, x: Activation, context: Context): Stage {
  if (!context.training || layer.rate === 0) return { y: x, backward: (dy) => dy };
  const { build, batchSize, current, index } = context;
  const { name, kind, rate } = layer;
  const forward = { layer: name, kind, direction: "forward" } as const;
  const from = rowMajor(build, x, forward);
  const mask = build.tensor(build.descriptor(x.dims, "row-major", "byte"));
  const to = build.tensor(from.descriptor);
  const units = x.dims.slice(1).reduce((product, n) => product * n, 1);
  const frame = sharedFrame(Dropping.length);
  build.rows(forward, [from, mask, to], {
    kernel: "dropout",
    rows: batchSize,
    constants: (place) => ({
      ...{ rate, layer: index, units, frame },
      ...{ from: place(from), to: place(to), mask: place(mask) },
    }),
    begin() {
      frame[Dropping.active] = Number(current.purpose === "learning");
      frame[Dropping.seed] = current.seed;
      frame[Dropping.firstSample] = current.firstSample;
    },
  });
  return {
    y: { tensor: to, dims: x.dims, rectified: x.rectified },
    backward(dy) {
      const info = { layer: name, kind, direction: "backward-data" } as const;
      const gradient = build.reorder(dy, from.descriptor, info);
      build.rows(info, [mask, gradient], {
        kernel: "dropoutGradient",
        rows: batchSize,
        constants: (place) => ({ rate, units, frame, mask: place(mask), gradient: place(gradient) }),
      });
      return gradient;
    },
  };
}
