import type { Dropout } from "../../../network/network.js";
import { dropoutMask } from "../../program/dropout-mask.js";
import { type Activation, type Context, rowMajor, type Stage } from "../layer.js";

/** Only in training; units are counted in row-major order, as in every engine. */
export function dropout(layer: Dropout, x: Activation, context: Context): Stage {
  if (!context.training || layer.rate === 0) return { y: x, backward: (dy) => dy };
  const { build, batchSize, current, index } = context;
  const { name, kind, rate } = layer;
  const forward = { layer: name, kind, direction: "forward" } as const;
  const source = rowMajor(build, x, forward, "float32");
  const mask = build.tensor(source.descriptor);
  const y = build.tensor(source.descriptor);
  build.compute(forward, [source, mask, y], () => {
    const [from, masks, to] = [source, mask, y].map((tensor) => build.floats(tensor));
    const rows = Array.from({ length: batchSize }, (_, sample) => {
      const units = masks.length / batchSize;
      return masks.subarray(sample * units, (sample + 1) * units);
    });
    return () => {
      if (current.purpose !== "learning") {
        to.set(from);
        return;
      }
      for (const [sample, row] of rows.entries()) dropoutMask(row, rate, current.seed, index, sample);
      for (let i = 0; i < to.length; i++) to[i] = from[i] * masks[i];
    };
  });
  return {
    y: { tensor: y, dims: x.dims, rectified: x.rectified },
    backward(dy) {
      const info = { layer: name, kind, direction: "backward-data" } as const;
      const dx = build.reorder(dy, source.descriptor, info);
      build.compute(info, [mask, dx], () => {
        const [masks, gradient] = [mask, dx].map((tensor) => build.floats(tensor));
        return () => {
          if (current.purpose !== "learning") return;
          for (let i = 0; i < gradient.length; i++) gradient[i] *= masks[i];
        };
      });
      return dx;
    },
  };
}
