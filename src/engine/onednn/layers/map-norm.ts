import type { LocalResponseNorm } from "../../../network/network.js";
import { type Activation, type Context, rowMajor, type Stage } from "../layer.js";

/** Response normalisation within each map, without the library, on all threads; see `rows/map-norm.ts`. */
export function mapNorm(layer: LocalResponseNorm, x: Activation, context: Context): Stage {
  const { build } = context;
  const { name, kind } = layer;
  const forward = { layer: name, kind, direction: "forward" } as const;
  const source = rowMajor(build, x, forward, "float32");
  const y = build.tensor(source.descriptor);
  const [batch, channels, height, width] = x.dims;
  const rows = batch * channels;
  build.rows(forward, [source, y], {
    kernel: "mapNorm",
    rows,
    constants: (place) => ({ layer, height, width, x: place(source), y: place(y) }),
  });
  return {
    y: { tensor: build.reorder(y, x.tensor.descriptor, forward), dims: x.dims, rectified: false },
    backward(dy) {
      if (!context.needsInputGradient) return undefined;
      const info = { layer: name, kind, direction: "backward-data" } as const;
      const upstream = build.reorder(dy, source.descriptor, info);
      const dx = build.tensor(source.descriptor);
      build.rows(info, [source, upstream, dx], {
        kernel: "mapNormGradient",
        rows,
        constants: (place) => ({ layer, height, width, x: place(source), dy: place(upstream), dx: place(dx) }),
      });
      return dx;
    },
  };
}
