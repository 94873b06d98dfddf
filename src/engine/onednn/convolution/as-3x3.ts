import type { OperationInfo } from "../../program/operations.js";
import type { NumberType } from "../arithmetic.js";
import type { Build, Tensor } from "../build.js";
import {
  type ConvolutionAlgorithm as Algorithm,
  Argument,
  type Descriptor,
  denseBytes,
  type PrimitiveDescriptor,
  Query,
} from "../native/bindings.js";
import {
  type BackwardData,
  type BackwardWeights,
  type ConvolutionAlgorithm,
  type ConvolutionProblem,
  type Forward,
  infoOf,
} from "./algorithm.js";
import {
  gatherInputGradient,
  gatherWeightGradient,
  isPlain,
  type SpaceToDepth,
  spaceToDepth,
  spreadInput,
  spreadWeights,
} from "./space-to-depth.js";

/**
 * Convolutions brought into the form of space-to-depth.ts: ungrouped, windows of 3 x 3, stride 1. Each group is one of
 * its own.
 */

/** By Winograd's algorithm, F(4x4, 3x3), with a quarter of the multiplications: the directions in which the library has it. */
export function winograd(problem: ConvolutionProblem): ConvolutionAlgorithm {
  const form = spaceToDepth(problem.layer, problem.dims, problem.output);
  return (form && inForm("winograd", problem, form, "winograd")) ?? { name: "winograd" };
}

/**
 * Directly, in bfloat16, where a stride made the squares of pixels channels: 3 channels leave most of a register, or of
 * AMX's tiles, empty; 48 don't.
 */
export function squaresAsChannels(problem: ConvolutionProblem): ConvolutionAlgorithm {
  const name = "space-to-depth";
  const form = spaceToDepth(problem.layer, problem.dims, problem.output);
  if (form === undefined || problem.type === "float32" || problem.layer.stride === 1) return { name };
  return inForm(name, problem, form, "direct") ?? { name };
}

/** Undefined where the library has no quick forward operation. */
function inForm(
  name: string,
  problem: ConvolutionProblem,
  form: SpaceToDepth,
  algorithm: Algorithm,
): ConvolutionAlgorithm | undefined {
  const forward = forwardOperation(problem, form, algorithm);
  if (forward === undefined) return undefined;
  const { build, layer } = problem;
  const { bindings } = build.library;
  const groups = new Groups(problem, form);
  const spec = specOf(problem, form, algorithm);
  return {
    name,
    forward: () => forwardBy(groups, forward),
    weights() {
      const gradient = { ...spec, weights: build.descriptor(form.weights, "any", "float32") };
      const operation = build.quickOnly(() => bindings.convolutionBackwardWeights(gradient, build.attributes, forward));
      return operation && weightsBy(groups, operation);
    },
    data() {
      if (!isPlain(form) && layer.stride > 1) return undefined; // squares of pixels are not gathered again
      const operation = build.quickOnly(() => bindings.convolutionBackwardData(spec, build.attributes, forward));
      return operation && dataBy(groups, operation);
    },
  };
}

function specOf({ build, layer }: ConvolutionProblem, form: SpaceToDepth, algorithm: Algorithm) {
  const any = (dims: readonly number[]) => build.descriptor(dims, "any");
  return {
    algorithm,
    src: any(form.src),
    weights: any(form.weights),
    bias: build.descriptor([layer.filters / layer.groups], "row-major", "float32"),
    dst: any(form.dst),
    stride: 1,
    padding: form.padding,
  } as const;
}

/** One group's. */
function forwardOperation(
  problem: ConvolutionProblem,
  form: SpaceToDepth,
  algorithm: Algorithm,
): PrimitiveDescriptor | undefined {
  const { build, rectified } = problem;
  const { bindings } = build.library;
  const spec = specOf(problem, form, algorithm);
  const attributes = bindings.attributes({ relu: rectified });
  // As in training when predicting too: then the algorithm takes weights in an ordinary layout.
  const ordinary = build.quickOnly(() =>
    bindings.convolutionForward({ ...spec, algorithm: "direct" }, true, attributes),
  );
  if (ordinary === undefined || algorithm === "direct") return ordinary;
  const weights = build.query(ordinary, Query.weights);
  return build.quickOnly(() => bindings.convolutionForward({ ...spec, weights }, true, attributes));
}

function forwardBy(groups: Groups, operation: PrimitiveDescriptor): Forward {
  const { problem, form } = groups;
  const { build, layer } = problem;
  const alone = layer.groups === 1;
  return (into, x, weights, bias, dst) => {
    const { copying, computing } = groups.infos("forward");
    const input = spreadInput(into, form, x, build.query(operation, Query.src), copying);
    const own = groups.weightsFor(into, weights, operation, copying);
    const result = build.query(operation, Query.dst);
    const y = into.tensor(alone ? result : dst);
    groups.each((group) => {
      const part = alone ? y : into.tensor(result);
      into.execute(computing, operation, [
        [Argument.src, input(group)],
        [Argument.weights, own(group)],
        [Argument.bias, groups.bias(bias, group)],
        [Argument.dst, part],
      ]);
      if (!alone) into.reorderInto(part, groups.maps(into, y, group), copying);
    });
    return { y, src: x, spread: layer.stride > 1 ? input(0) : undefined };
  };
}

function weightsBy(groups: Groups, operation: PrimitiveDescriptor): BackwardWeights {
  const { problem, form } = groups;
  const { build } = problem;
  return (into, { src, spread }, dy, dw, db) => {
    const { copying, computing } = groups.infos("backward-weights");
    const input = spreadInput(into, form, src, build.query(operation, Query.src), copying, spread);
    const upstream = groups.outputGradientFor(into, dy, operation, copying);
    const layout = build.query(operation, Query.diffWeights);
    const gathered = groups.areAsTheyAre
      ? undefined
      : gatherWeightGradient(into, form, groups.rowsOf(dw.type), copying);
    groups.each((group) => {
      const gradient = into.target(gathered?.target(group) ?? dw, layout, copying);
      into.execute(computing, operation, [
        [Argument.src, input(group)],
        [Argument.diffDst, upstream(group)],
        [Argument.diffWeights, gradient.tensor],
        [Argument.diffBias, groups.bias(db, group)],
      ]);
      gradient.settle();
    });
    if (gathered !== undefined) into.reorderInto(gathered.finish(), dw, copying);
  };
}

function dataBy(groups: Groups, operation: PrimitiveDescriptor): BackwardData {
  const { problem, form } = groups;
  const layout = problem.build.query(operation, Query.diffSrc);
  return (into, dy, weights, diffSrc) => {
    const { copying, computing } = groups.infos("backward-data");
    const upstream = groups.outputGradientFor(into, dy, operation, copying);
    const own = groups.weightsFor(into, weights, operation, copying);
    const gathered = groups.areAsTheyAre ? undefined : gatherInputGradient(into, form, diffSrc, copying);
    const addGroup = (group: number): Tensor => {
      const dx = into.tensor(layout);
      into.execute(computing, operation, [
        [Argument.diffDst, upstream(group)],
        [Argument.weights, own(group)],
        [Argument.diffSrc, dx],
      ]);
      return dx;
    };
    if (gathered === undefined) return addGroup(0);
    groups.each((group) => gathered.add(group, addGroup(group)));
    return gathered.finish();
  };
}

/** Each group's part of the layer's tensors. */
class Groups {
  constructor(
    readonly problem: ConvolutionProblem,
    readonly form: SpaceToDepth,
  ) {}

  /** All of the layer's weights, row-major. */
  rowsOf(type: NumberType): Descriptor {
    return this.problem.build.descriptor(this.problem.weightDims, "row-major", type);
  }

  /** Whether the layer is one group in the algorithm's form already. */
  get areAsTheyAre(): boolean {
    return isPlain(this.form) && this.problem.layer.groups === 1;
  }

  each(run: (group: number) => void): void {
    for (let group = 0; group < this.problem.layer.groups; group++) run(group);
  }

  /** A group's maps among those of the output. */
  maps(into: Build, y: Tensor, group: number): Tensor {
    const [, perGroup] = this.form.dst;
    return into.part(y, this.form.dst, [0, group * perGroup, 0, 0]);
  }

  bias(bias: Tensor, group: number): Tensor {
    const [, perGroup] = this.form.dst;
    const descriptor = this.problem.build.descriptor([perGroup], "row-major", "float32");
    const bytes = denseBytes([perGroup], bias.type);
    return { ...bias, descriptor, bytes, offset: bias.offset + group * bytes };
  }

  /** Gives a group's weights as `operation` takes them. */
  weightsFor(into: Build, all: Tensor, operation: PrimitiveDescriptor, info: OperationInfo): (group: number) => Tensor {
    const layout = this.problem.build.query(operation, Query.weights);
    if (this.areAsTheyAre) return () => into.reorder(all, layout, info);
    const spread = spreadWeights(into, this.form, into.reorder(all, this.rowsOf(all.type), info), info);
    return (group) => into.reorder(spread(group), layout, info);
  }

  /** Gives a group's part of the output's gradient as `operation` takes it. */
  outputGradientFor(
    into: Build,
    dy: Tensor,
    operation: PrimitiveDescriptor,
    info: OperationInfo,
  ): (group: number) => Tensor {
    const { build, layer } = this.problem;
    const layout = build.query(operation, Query.diffDst);
    if (layer.groups === 1) return () => into.reorder(dy, layout, info);
    return (group) => {
      const own = into.tensor(layout);
      into.reorderInto(this.maps(into, dy, group), own, info);
      return own;
    };
  }

  /** Of copies between layouts, and of a group's convolution. */
  infos(direction: OperationInfo["direction"]) {
    const computing = infoOf(this.problem, direction);
    const copying: OperationInfo = { layer: computing.layer, kind: "reorder", direction };
    return { copying, computing: { ...computing, flops: computing.flops / this.problem.layer.groups } };
  }
}
