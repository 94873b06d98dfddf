import type { Convolution } from "../../../network/network.js";
import { volume } from "../../../network/shapes.js";
import type { OperationInfo } from "../../program/operations.js";
import { asProgram, isPossible, standIn } from "../algorithms.js";
import type { Build, Tensor } from "../build.js";
import { type Activation, type Context, mapDims, type Stage } from "../layer.js";
import { type ConvolutionAlgorithm, type ConvolutionProblem, infoOf } from "./algorithm.js";
import { squaresAsChannels, winograd } from "./as-3x3.js";
import { direct } from "./direct.js";
import { product } from "./product.js";

/** The ReLU that follows is fused into the forward operation. Which algorithm each direction takes is measured. */
export function convolution(layer: Convolution, x: Activation, context: Context): Stage {
  const { build, parameters } = context;
  const { name } = layer;
  const problem = problemOf(layer, x, context);
  const usual = direct(problem);
  const algorithms: readonly ConvolutionAlgorithm[] = [
    usual,
    product(problem, usual),
    winograd(problem),
    squaresAsChannels(problem),
  ];

  const forward = choose(
    problem,
    context,
    "forward",
    algorithms.map((algorithm) => ({ algorithm, add: algorithm.forward?.() })),
    (trial, add) => {
      const [weights, bias] = [usual.weightLayout, usual.spec.bias].map((descriptor) => standIn(trial, { descriptor }));
      const { y } = add(trial, standIn(trial, x.tensor), weights, bias, usual.outputLayout);
      trial.reorder(y, usual.outputLayout, infoOf(problem, "forward"));
    },
  );
  const weights = parameters.place(`${name}.weight`, problem.weightDims, {
    operand: usual.weightLayout,
    value: problem.type === "float32" ? undefined : usual.gradientLayout,
  });
  const bias = parameters.place(`${name}.bias`, [layer.filters], { operand: usual.spec.bias });
  const { y, ...read } = forward(build, x.tensor, weights.operand, bias.operand, usual.outputLayout);

  const backwardWeights = (dy: Tensor): void => {
    const gradients = [parameters.gradient(weights), parameters.gradient(bias)];
    const add = choose(
      problem,
      context,
      "backward-weights",
      algorithms.map((algorithm) => ({ algorithm, add: algorithm.weights?.() })),
      (trial, add) => {
        const [dw, db] = gradients.map((gradient) => standIn(trial, gradient));
        const [src, spread] = [standIn(trial, read.src), read.spread && standIn(trial, read.spread)];
        add(trial, { src, spread }, standIn(trial, dy), dw, db);
      },
    );
    const [dw, db] = gradients;
    add(build, read, dy, dw, db);
  };

  const backwardData = (dy: Tensor): Tensor => {
    const layout = usual.inputGradientLayout();
    const add = choose(
      problem,
      context,
      "backward-data",
      algorithms.map((algorithm) => ({ algorithm, add: algorithm.data?.() })),
      (trial, add) => {
        const dx = add(trial, standIn(trial, dy), standIn(trial, weights.operand), layout);
        trial.reorder(dx, layout, infoOf(problem, "backward-data"));
      },
    );
    return add(build, dy, weights.operand, layout);
  };

  return {
    y: { tensor: y, dims: problem.output, rectified: problem.rectified },
    backward(dy) {
      if (parameters.learns(name)) backwardWeights(dy);
      return context.needsInputGradient ? backwardData(dy) : undefined;
    },
  };
}

function problemOf(layer: Convolution, { dims, tensor }: Activation, context: Context): ConvolutionProblem {
  const { build, batchSize, training, output } = context;
  const { filters, size, groups } = layer;
  const channels = dims[1] / groups;
  return {
    build,
    layer,
    type: tensor.type,
    dims,
    output: mapDims(batchSize, output),
    weightDims: groups === 1 ? [filters, channels, size, size] : [groups, filters / groups, channels, size, size],
    rectified: context.following[0]?.kind === "relu",
    training,
    flops: 2 * batchSize * volume(output) * channels * size * size,
  };
}

/**
 * Of the algorithms that have this direction, the quickest.
 * @param tryOut adds the direction's operations, and what brings their result into the usual layout, to a trial
 */
function choose<Add>(
  problem: ConvolutionProblem,
  { algorithms }: Context,
  direction: OperationInfo["direction"],
  options: readonly { readonly algorithm: ConvolutionAlgorithm; readonly add: Add | undefined }[],
  tryOut: (trial: Build, add: Add) => void,
): Add {
  const { build, layer, flops } = problem;
  const candidates = options
    .flatMap(({ algorithm: { name }, add }) =>
      add === undefined ? [] : [{ ...asProgram(build, name, (trial) => tryOut(trial, add)), add }],
    )
    // Groups are parts of tensors, which not every layout can be divided into.
    .filter((candidate, i) => i === 0 || layer.groups === 1 || isPossible(candidate));
  return algorithms.choose(`${layer.name} ${direction}`, describe(problem, direction), flops, candidates).add;
}

/**
 * All that the time of a direction depends on but the machine and the algorithms: a part of the saved choices' keys.
 * What is float32 doesn't say so, as choices that were saved before there was anything else.
 */
function describe(problem: ConvolutionProblem, direction: string): string {
  const { layer, type, dims, output, training, rectified } = problem;
  const { size, stride, padding, groups } = layer;
  const window = `${size}x${size}, stride ${stride}, padding ${padding}, groups ${groups}`;
  const mode = `${training ? "training" : "prediction"}${rectified ? ", ReLU" : ""}`;
  const numbers = type === "float32" ? "" : `, ${type}`;
  return `${direction} ${dims.join("x")} to ${output.join("x")}, ${window}, ${mode}${numbers}`;
}
