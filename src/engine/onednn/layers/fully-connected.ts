import type { FullyConnected } from "../../../network/network.js";
import type { Tensor } from "../build.js";
import { type Activation, type Context, rowMajor, type Stage } from "../layer.js";
import { Argument, type PrimitiveDescriptor, Query } from "../native/bindings.js";

/**
 * Takes its input as a row-major matrix and gives one. Where the library's implementation is a plain matrix product,
 * that is quickest when the dimension summed over is contiguous: row-major weights forward, column-major backward.
 * (Measured on AVX2 at 128 x 9216 x 4096: 113 and 128 GFLOP/s so, 69 and 65 otherwise; left to itself, oneDNN 2.6
 * takes the slow way.) Block layouts, as on AVX-512, are the library's choice. The ReLU that follows is fused.
 */
export function fullyConnected(layer: FullyConnected, x: Activation, context: Context): Stage {
  const { build, batchSize, parameters } = context;
  const { bindings } = build.library;
  const { name, kind, outputs } = layer;
  const inputs = x.dims.slice(1).reduce((a, b) => a * b, 1);
  const weightDims = [outputs, inputs];
  const flops = 2 * batchSize * outputs * inputs;
  const forward = { layer: name, kind, direction: "forward", flops } as const;

  const spec = {
    src: build.descriptor([batchSize, inputs], "row-major"),
    weights: build.descriptor(weightDims, "any"),
    bias: build.descriptor([outputs], "row-major", "float32"),
    dst: build.descriptor([batchSize, outputs], "row-major", context.last ? "float32" : build.type),
  };
  const diffDst = build.descriptor([batchSize, outputs], "row-major");
  const rectified = context.following[0]?.kind === "relu";
  const attributes = bindings.attributes({ relu: rectified });
  const freely = bindings.innerProductForward(spec, context.training, attributes);
  const blocked = !bindings.implementation(freely).includes("gemm:jit");
  const rows = { ...spec, weights: build.descriptor(weightDims, "row-major") };
  const operation = blocked ? freely : bindings.innerProductForward(rows, context.training, attributes);

  const flat = rowMajor(build, x, forward);
  const src = { ...flat, descriptor: spec.src };
  let gradientOperation: PrimitiveDescriptor | undefined;
  const weightsOperation = (): PrimitiveDescriptor => {
    gradientOperation ??= bindings.innerProductBackwardWeights(
      { ...spec, weights: build.descriptor(weightDims, blocked ? "any" : "row-major", "float32"), dst: diffDst },
      build.attributes,
      operation,
    );
    return gradientOperation;
  };
  const weights = parameters.place(`${name}.weight`, weightDims, {
    operand: build.query(operation, Query.weights),
    value: build.type === "float32" ? undefined : () => build.query(weightsOperation(), Query.diffWeights),
  });
  const bias = parameters.place(`${name}.bias`, [outputs], { operand: spec.bias });
  const y = build.tensor(spec.dst);
  build.execute(forward, operation, [
    [Argument.src, src],
    [Argument.weights, weights.operand],
    [Argument.bias, bias.operand],
    [Argument.dst, y],
  ]);

  const backwardWeights = (dy: Tensor): void => {
    const info = { layer: name, kind, direction: "backward-weights", flops } as const;
    const backward = weightsOperation();
    const dw = build.target(parameters.gradient(weights), build.query(backward, Query.diffWeights), info);
    build.execute(info, backward, [
      [Argument.src, src],
      [Argument.diffDst, dy],
      [Argument.diffWeights, dw.tensor],
      [Argument.diffBias, parameters.gradient(bias)],
    ]);
    dw.settle();
  };

  const backwardData = (dy: Tensor): Tensor => {
    const info = { layer: name, kind, direction: "backward-data", flops } as const;
    const layout = blocked ? "any" : "column-major";
    const backward = bindings.innerProductBackwardData(
      { ...spec, weights: build.descriptor(weightDims, layout), dst: diffDst },
      build.attributes,
      operation,
    );
    const dx = build.tensor(spec.src);
    build.execute(info, backward, [
      [Argument.diffDst, dy],
      [Argument.weights, build.reorder(weights.operand, build.query(backward, Query.weights), info)],
      [Argument.diffSrc, dx],
    ]);
    return { ...dx, descriptor: flat.descriptor };
  };

  return {
    y: { tensor: y, dims: [batchSize, outputs], rectified },
    backward(gradient) {
      const dy = build.reorder(gradient, diffDst, { layer: name, kind, direction: "backward-data" });
      if (parameters.learns(name)) backwardWeights(dy);
      return context.needsInputGradient ? backwardData(dy) : undefined;
    },
  };
}
