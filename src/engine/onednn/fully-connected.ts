import type { FullyConnected } from "../../network/network.js";
import { Argument, Query } from "./bindings.js";
import type { Tensor } from "./build.js";
import type { Activation, Context, Stage } from "./layer.js";

/** Reads maps in the layout they come in; its own outputs are row-major. The ReLU that follows is fused. */
export function fullyConnected(layer: FullyConnected, x: Activation, context: Context): Stage {
  const { build, batchSize, parameters } = context;
  const { bindings } = build.library;
  const { name, kind, outputs } = layer;
  const [, ...inputDims] = x.dims;
  const dims = [batchSize, outputs];
  const weightDims = [outputs, ...inputDims];
  const spec = {
    src: x.tensor.descriptor,
    weights: build.descriptor(weightDims, "any"),
    bias: build.descriptor([outputs], "row-major"),
    dst: build.descriptor(dims, "row-major"),
  };
  const flops = 2 * batchSize * outputs * inputDims.reduce((a, b) => a * b, 1);
  const rectified = context.next?.kind === "relu";
  const operation = build.own(
    bindings.innerProductForward(spec, context.training, bindings.attributes({ relu: rectified })),
  );
  const weights = parameters.place(`${name}.weight`, weightDims, build.query(operation, Query.weights));
  const bias = parameters.place(`${name}.bias`, [outputs], spec.bias);
  const y = build.tensor(spec.dst);
  build.execute({ layer: name, kind, direction: "forward", flops }, operation, [
    [Argument.src, x.tensor],
    [Argument.weights, weights.value],
    [Argument.bias, bias.value],
    [Argument.dst, y],
  ]);

  const backwardWeights = (dy: Tensor): void => {
    const info = { layer: name, kind, direction: "backward-weights", flops } as const;
    const backward = build.own(bindings.innerProductBackwardWeights(spec, build.attributes, operation));
    const dw = parameters.gradientTarget(weights, build.query(backward, Query.diffWeights), info);
    const db = parameters.gradientTarget(bias, spec.bias, info);
    build.execute(info, backward, [
      [Argument.src, x.tensor],
      [Argument.diffDst, dy],
      [Argument.diffWeights, dw.tensor],
      [Argument.diffBias, db.tensor],
    ]);
    dw.settle();
  };

  const backwardData = (dy: Tensor): Tensor => {
    const info = { layer: name, kind, direction: "backward-data", flops } as const;
    const backward = build.own(bindings.innerProductBackwardData(spec, build.attributes, operation));
    const dx = build.tensor(spec.src);
    build.execute(info, backward, [
      [Argument.diffDst, dy],
      [Argument.weights, build.reorder(weights.value, build.query(backward, Query.weights), info)],
      [Argument.diffSrc, dx],
    ]);
    return dx;
  };

  return {
    y: { tensor: y, dims, rectified },
    backward(gradient) {
      const dy = build.reorder(gradient, spec.dst, { layer: name, kind, direction: "backward-data" });
      if (parameters.learns(name)) backwardWeights(dy);
      return context.needsInputGradient ? backwardData(dy) : undefined;
    },
  };
}
