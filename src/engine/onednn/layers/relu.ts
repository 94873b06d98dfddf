import type { Relu } from "../../../network/network.js";
import type { Activation, Context, Stage } from "../layer.js";
import { Argument } from "../native/bindings.js";

/** Nothing to do forward where the operation before has rectified already. Backward works in place. */
export function relu(layer: Relu, x: Activation, context: Context): Stage {
  const { build, training } = context;
  const { bindings } = build.library;
  const { name, kind } = layer;
  const data = x.tensor.descriptor;
  const operation = bindings.pointwiseForward("relu", data, training, build.attributes);
  const y = x.rectified ? x.tensor : build.tensor(data);
  if (!x.rectified)
    build.execute({ layer: name, kind, direction: "forward" }, operation, [
      [Argument.src, x.tensor],
      [Argument.dst, y],
    ]);
  return {
    y: { tensor: y, dims: x.dims, rectified: true },
    backward(dy) {
      const info = { layer: name, kind, direction: "backward-data" } as const;
      const backward = bindings.pointwiseBackward("relu", data, data, build.attributes, operation);
      const dx = build.reorder(dy, data, info);
      // y is above 0 exactly where x is.
      build.execute(info, backward, [
        [Argument.src, y],
        [Argument.diffDst, dx],
        [Argument.diffSrc, dx],
      ]);
      return dx;
    },
  };
}
