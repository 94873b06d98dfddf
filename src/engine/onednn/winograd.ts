import type { Convolution } from "../../network/network.js";
import type { OperationInfo } from "../program/operations.js";
import { Argument, type PrimitiveDescriptor, Query } from "./bindings.js";
import type { Build, Tensor } from "./build.js";
import type { BackwardData, BackwardWeights, Forward } from "./convolution-candidates.js";
import { foldInput, foldingOf, foldWeights, isPlain, unfoldGradient, unfoldWeights } from "./folding.js";

/** What is the same for all ways to carry out a convolution. */
export interface Problem {
  readonly layer: Convolution;
  /** Of the input and the output: (batch, channels, height, width). */
  readonly dims: readonly number[];
  readonly output: readonly number[];
  /** (filters, channels, size, size), or (groups, filters, channels, size, size) with those of one group. */
  readonly weightDims: readonly number[];
  readonly rectified: boolean;
  readonly flops: number;
}

export interface Ways {
  readonly forward?: Forward;
  readonly backwardWeights?: BackwardWeights;
  readonly backwardData?: BackwardData;
}

/**
 * A convolution by Winograd's algorithm, F(4x4, 3x3), with a quarter of the multiplications: the directions in which the
 * library has it. The layer is folded into its form first, see Folding.
 */
export function winograd(build: Build, problem: Problem): Ways {
  const { layer, dims, output, rectified } = problem;
  const { bindings } = build.library;
  const { filters, groups } = layer;
  const folding = foldingOf(layer, dims, output);
  if (folding === undefined) return {};
  const any = (dims: readonly number[]) => build.descriptor(dims, "any");
  const plainBias = build.descriptor([filters / groups], "row-major");
  const spec = {
    algorithm: "winograd",
    src: any(folding.src),
    weights: any(folding.weights),
    bias: plainBias,
    dst: any(folding.dst),
    stride: 1,
    padding: folding.padding,
  } as const;
  const attributes = bindings.attributes({ relu: rectified });
  // As in training when predicting too: then the algorithm takes weights in an ordinary layout.
  const direct = build.quickOnly(() => bindings.convolutionForward({ ...spec, algorithm: "direct" }, true, attributes));
  if (direct === undefined) return {};
  const weights = build.query(direct, Query.weights);
  const forward = build.quickOnly(() => bindings.convolutionForward({ ...spec, weights }, true, attributes));
  if (forward === undefined) return {};
  const backwardWeights = build.quickOnly(() => bindings.convolutionBackwardWeights(spec, build.attributes, forward));
  const invertible = isPlain(folding) || layer.stride === 1;
  const backwardData = invertible
    ? build.quickOnly(() => bindings.convolutionBackwardData(spec, build.attributes, forward))
    : undefined;

  const asIs = isPlain(folding) && groups === 1;
  const flops = problem.flops / groups;
  const [batch, perGroup, height, width] = folding.dst;
  const maps = (into: Build, y: Tensor, group: number): Tensor =>
    into.part(y, [batch, perGroup, height, width], [0, group * perGroup, 0, 0]);
  const biasOf = (bias: Tensor, group: number): Tensor => {
    const bytes = 4 * perGroup;
    return { ...bias, descriptor: plainBias, bytes, offset: bias.offset + group * bytes };
  };
  const rows = build.descriptor(problem.weightDims, "row-major");
  /** Gives a group's weights as `primitive` takes them. */
  const weightsFor = (into: Build, all: Tensor, primitive: PrimitiveDescriptor, info: OperationInfo) => {
    const layout = build.query(primitive, Query.weights);
    if (asIs) return () => into.reorder(all, layout, info);
    const folded = foldWeights(into, folding, into.reorder(all, rows, info), info);
    return (group: number) => into.reorder(folded(group), layout, info);
  };
  /** Gives a group's part of the output's gradient as `primitive` takes it. */
  const slopeFor = (into: Build, dy: Tensor, primitive: PrimitiveDescriptor, info: OperationInfo) => {
    const layout = build.query(primitive, Query.diffDst);
    if (groups === 1) return () => into.reorder(dy, layout, info);
    return (group: number) => {
      const own = into.tensor(layout);
      into.reorderInto(maps(into, dy, group), own, info);
      return own;
    };
  };
  const each = (run: (group: number) => void): void => {
    for (let group = 0; group < groups; group++) run(group);
  };
  const describe = (direction: OperationInfo["direction"]) => {
    const info = { layer: layer.name, kind: "reorder", direction } as const;
    return { copying: info, computing: { ...info, kind: layer.kind, flops } as const };
  };

  return {
    forward(into, x, all, bias, dst) {
      const { copying, computing } = describe("forward");
      const input = foldInput(into, folding, x, build.query(forward, Query.src), copying);
      const own = weightsFor(into, all, forward, copying);
      const result = build.query(forward, Query.dst);
      const y = into.tensor(groups === 1 ? result : dst);
      each((group) => {
        const part = groups === 1 ? y : into.tensor(result);
        into.execute(computing, forward, [
          [Argument.src, input(group)],
          [Argument.weights, own(group)],
          [Argument.bias, biasOf(bias, group)],
          [Argument.dst, part],
        ]);
        if (groups > 1) into.reorderInto(part, maps(into, y, group), copying);
      });
      return layer.stride > 1 ? { y, src: x, folded: input(0) } : { y, src: x };
    },
    ...(backwardWeights && {
      backwardWeights(into, { src, folded: kept }, dy, dw, db) {
        const { copying, computing } = describe("backward-weights");
        const input = foldInput(into, folding, src, build.query(backwardWeights, Query.src), copying, kept);
        const slope = slopeFor(into, dy, backwardWeights, copying);
        const layout = build.query(backwardWeights, Query.diffWeights);
        const folded = asIs ? undefined : unfoldWeights(into, folding, rows, copying);
        each((group) => {
          const gradient = into.target(folded?.target(group) ?? dw, layout, copying);
          into.execute(computing, backwardWeights, [
            [Argument.src, input(group)],
            [Argument.diffDst, slope(group)],
            [Argument.diffWeights, gradient.tensor],
            [Argument.diffBias, biasOf(db, group)],
          ]);
          gradient.settle();
        });
        if (folded !== undefined) into.reorderInto(folded.finish(), dw, copying);
      },
    }),
    ...(backwardData && {
      backwardData(into, dy, all, diffSrc) {
        const { copying, computing } = describe("backward-data");
        const slope = slopeFor(into, dy, backwardData, copying);
        const own = weightsFor(into, all, backwardData, copying);
        const layout = build.query(backwardData, Query.diffSrc);
        const gradient = asIs ? undefined : unfoldGradient(into, folding, diffSrc, copying);
        const addGroup = (group: number): Tensor => {
          const dx = into.tensor(layout);
          into.execute(computing, backwardData, [
            [Argument.diffDst, slope(group)],
            [Argument.weights, own(group)],
            [Argument.diffSrc, dx],
          ]);
          return dx;
        };
        if (gradient === undefined) return addGroup(0);
        each((group) => gradient.add(group, addGroup(group)));
        return gradient.finish();
      },
    }),
  };
}
