import type { MaxPool } from "../../../network/network.js";
import { type Activation, type Context, mapDims, type Stage } from "../layer.js";
import { Argument, Query } from "../native/bindings.js";

/** Keeps its input's layout. The workspace holds which value of each window was the largest. */
export function maxPool(layer: MaxPool, x: Activation, context: Context): Stage {
  const { build, batchSize, training } = context;
  const { bindings } = build.library;
  const { name, kind, size, stride } = layer;
  const dims = mapDims(batchSize, context.output);
  const spec = { src: x.tensor.descriptor, dst: build.descriptor(dims, "any"), size, stride };
  const operation = bindings.maxPoolForward(spec, training, build.attributes);
  const y = build.tensor(build.query(operation, Query.dst));
  const workspace = build.workspace(operation);
  build.execute({ layer: name, kind, direction: "forward" }, operation, [
    [Argument.src, x.tensor],
    [Argument.dst, y],
    ...workspace,
  ]);
  return {
    y: { tensor: y, dims, rectified: x.rectified },
    backward(dy) {
      if (!context.needsInputGradient) return undefined;
      const info = { layer: name, kind, direction: "backward-data" } as const;
      const backward = bindings.maxPoolBackward({ ...spec, dst: y.descriptor }, build.attributes, operation);
      const dx = build.tensor(spec.src);
      build.execute(info, backward, [
        [Argument.diffDst, build.reorder(dy, build.query(backward, Query.diffDst), info)],
        [Argument.diffSrc, dx],
        ...workspace,
      ]);
      return dx;
    },
  };
}
