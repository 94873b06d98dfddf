import type { LocalResponseNorm } from "../../../network/network.js";
import { type Activation, type Context, rowMajor, type Stage } from "../layer.js";

/**
 * Response normalisation with a window of one, the value itself: with s = k + alpha x^2, y = x s^-beta and
 * dx = dy s^(-beta - 1) (s - 2 alpha beta x^2). On this thread: oneDNN 3.7 writes beyond its memory when it is asked.
 */
export function pointwiseNorm(layer: LocalResponseNorm, x: Activation, context: Context): Stage {
  const { build } = context;
  const { name, kind, k, alpha, beta } = layer;
  const forward = { layer: name, kind, direction: "forward" } as const;
  const source = rowMajor(build, x, forward, "float32");
  const y = build.tensor(source.descriptor);
  build.compute(forward, [source, y], () => {
    const [from, to] = [source, y].map((tensor) => build.floats(tensor));
    return () => {
      for (let i = 0; i < to.length; i++) to[i] = from[i] * (k + alpha * from[i] * from[i]) ** -beta;
    };
  });
  return {
    y: { tensor: build.reorder(y, x.tensor.descriptor, forward), dims: x.dims, rectified: x.rectified },
    backward(dy) {
      if (!context.needsInputGradient) return undefined;
      const info = { layer: name, kind, direction: "backward-data" } as const;
      const upstream = build.reorder(dy, source.descriptor, info);
      const dx = build.tensor(source.descriptor);
      build.compute(info, [source, upstream, dx], () => {
        const [values, gradients, out] = [source, upstream, dx].map((tensor) => build.floats(tensor));
        return () => {
          for (let i = 0; i < out.length; i++) {
            const square = alpha * values[i] * values[i];
            const s = k + square;
            out[i] = gradients[i] * s ** (-beta - 1) * (s - 2 * beta * square);
          }
        };
      });
      return dx;
    },
  };
}
