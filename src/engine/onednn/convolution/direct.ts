import type { Build } from "../build.js";
import { Argument, type Descriptor, type Layout, type PrimitiveDescriptor, Query } from "../native/bindings.js";
import {
  type BackwardData,
  type BackwardWeights,
  type ConvolutionAlgorithm,
  type ConvolutionProblem,
  type Forward,
  infoOf,
} from "./algorithm.js";

/** Pictures of so few channels come row-major and are read so; all other layouts are the library's choice. */
const FEW_CHANNELS = 4;

/** The layer as the library computes it directly, in all three directions, and what its operations are made from. */
export interface DirectConvolution extends ConvolutionAlgorithm {
  readonly forward: () => Forward;
  readonly weights: () => BackwardWeights;
  readonly data: () => BackwardData;
  readonly spec: ReturnType<typeof specOf>;
  /** The forward operation; the library takes it as a hint for the backward ones. */
  readonly operation: PrimitiveDescriptor;
  /** The layouts that it reads and writes. */
  readonly weightLayout: Descriptor;
  /** Of float32: what the weights' gradient is written in. */
  readonly gradientLayout: () => Descriptor;
  readonly outputLayout: Descriptor;
  readonly inputGradientLayout: () => Descriptor;
}

export function direct(problem: ConvolutionProblem): DirectConvolution {
  const { build, rectified, training } = problem;
  const { bindings } = build.library;
  const spec = specOf(problem);
  const operation = bindings.convolutionForward(spec, training, bindings.attributes({ relu: rectified }));
  const outputLayout = build.query(operation, Query.dst);
  let backwardData: PrimitiveDescriptor | undefined;
  let backwardWeights: PrimitiveDescriptor | undefined;
  const weightsOperation = (): PrimitiveDescriptor => {
    backwardWeights ??= bindings.convolutionBackwardWeights(gradientSpec(problem, spec), build.attributes, operation);
    return backwardWeights;
  };
  const dataOperation = (): PrimitiveDescriptor => {
    backwardData ??= bindings.convolutionBackwardData(spec, build.attributes, operation);
    return backwardData;
  };
  return {
    name: "direct",
    spec,
    operation,
    weightLayout: build.query(operation, Query.weights),
    outputLayout,
    forward: () => (into, x, weights, bias) => {
      const info = infoOf(problem, "forward");
      const src = into.reorder(x, build.query(operation, Query.src), info);
      const y = into.tensor(outputLayout);
      into.execute(info, operation, [
        [Argument.src, src],
        [Argument.weights, weights],
        [Argument.bias, bias],
        [Argument.dst, y],
      ]);
      return { src, y };
    },
    weights: () => weightsBy(problem, weightsOperation()),
    gradientLayout: () => build.query(weightsOperation(), Query.diffWeights),
    data: () => dataBy(problem, dataOperation()),
    inputGradientLayout: () => build.query(dataOperation(), Query.diffSrc),
  };
}

function specOf({ build, layer, dims, output, weightDims }: ConvolutionProblem) {
  const [, channels] = dims;
  const layout: Layout = channels <= FEW_CHANNELS ? "row-major" : "any";
  return {
    algorithm: "direct",
    src: build.descriptor(dims, layout),
    weights: build.descriptor(weightDims, "any"),
    bias: build.descriptor([layer.filters], "row-major", "float32"),
    dst: build.descriptor(output, "any"),
    stride: layer.stride,
    padding: layer.padding,
  } as const;
}

/** The same for the weights' gradient, which is float32 whatever is multiplied. */
export function gradientSpec<S extends { readonly weights: Descriptor }>(
  { build, weightDims }: Pick<ConvolutionProblem, "build" | "weightDims">,
  spec: S,
): S {
  return { ...spec, weights: build.descriptor(weightDims, "any", "float32") };
}

/** The gradients of weights and bias by an operation of the library. */
export function weightsBy(problem: ConvolutionProblem, operation: PrimitiveDescriptor): BackwardWeights {
  const { build } = problem;
  const info = infoOf(problem, "backward-weights");
  return (into: Build, { src }, dy, dw, db) => {
    const target = into.target(dw, build.query(operation, Query.diffWeights), info);
    into.execute(info, operation, [
      [Argument.src, into.reorder(src, build.query(operation, Query.src), info)],
      [Argument.diffDst, into.reorder(dy, build.query(operation, Query.diffDst), info)],
      [Argument.diffWeights, target.tensor],
      [Argument.diffBias, db],
    ]);
    target.settle();
  };
}

function dataBy(problem: ConvolutionProblem, operation: PrimitiveDescriptor): BackwardData {
  const { build } = problem;
  const info = infoOf(problem, "backward-data");
  return (into: Build, dy, weights) => {
    const dx = into.tensor(build.query(operation, Query.diffSrc));
    into.execute(info, operation, [
      [Argument.diffDst, into.reorder(dy, build.query(operation, Query.diffDst), info)],
      [Argument.weights, into.reorder(weights, build.query(operation, Query.weights), info)],
      [Argument.diffSrc, dx],
    ]);
    return dx;
  };
}
