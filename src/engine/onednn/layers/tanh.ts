import type { Tanh } from "../../../network/network.js";
import type { Activation, Context, Stage } from "../layer.js";
import { Argument } from "../native/bindings.js";

/** Backward reads x, which no later layer overwrites, as dropout does y. */
export function tanh(layer: Tanh, x: Activation, context: Context): Stage {
  const { build, training } = context;
  const { bindings } = build.library;
  const { name, kind } = layer;
  const data = x.tensor.descriptor;
  const operation = bindings.pointwiseForward("tanh", data, training, build.attributes);
  const y = build.tensor(data);
  build.execute({ layer: name, kind, direction: "forward" }, operation, [
    [Argument.src, x.tensor],
    [Argument.dst, y],
  ]);
  return {
    y: { tensor: y, dims: x.dims, rectified: false },
    backward(dy) {
      if (!context.needsInputGradient) return undefined;
      const info = { layer: name, kind, direction: "backward-data" } as const;
      const backward = bindings.pointwiseBackward("tanh", data, data, build.attributes, operation);
      const dx = build.reorder(dy, data, info);
      build.execute(info, backward, [
        [Argument.src, x.tensor],
        [Argument.diffDst, dx],
        [Argument.diffSrc, dx],
      ]);
      return dx;
    },
  };
}
