import type { LocalResponseNorm } from "../../network/network.js";
import { Argument, Query } from "./bindings.js";
import type { Activation, Context, Stage } from "./layer.js";

/** The library divides alpha by the window's length; the paper does not. */
export function localResponseNorm(layer: LocalResponseNorm, x: Activation, context: Context): Stage {
  const { build, training } = context;
  const { bindings } = build.library;
  const { name, kind, n, k, alpha, beta } = layer;
  const spec = { data: x.tensor.descriptor, n, k, beta, alpha: alpha * n };
  const operation = build.own(bindings.lrnForward(spec, training, build.attributes));
  const y = build.tensor(spec.data);
  const workspace = build.workspace(operation);
  build.execute({ layer: name, kind, direction: "forward" }, operation, [
    [Argument.src, x.tensor],
    [Argument.dst, y],
    ...workspace,
  ]);
  return {
    y: { tensor: y, dims: x.dims, rectified: false },
    backward(dy) {
      if (!context.needsInputGradient) return undefined;
      const info = { layer: name, kind, direction: "backward-data" } as const;
      const backward = build.own(bindings.lrnBackward(spec, build.attributes, operation));
      const dx = build.tensor(spec.data);
      build.execute(info, backward, [
        [Argument.src, x.tensor],
        [Argument.diffDst, build.reorder(dy, build.query(backward, Query.diffDst), info)],
        [Argument.diffSrc, dx],
        ...workspace,
      ]);
      return dx;
    },
  };
}
