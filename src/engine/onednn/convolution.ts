import type { Convolution } from "../../network/network.js";
import { volume } from "../../network/shapes.js";
import type { OperationInfo } from "../program/operations.js";
import { asProgram, standIn } from "./algorithms.js";
import { Argument, type Layout, type PrimitiveDescriptor, Query } from "./bindings.js";
import type { Build, Tensor } from "./build.js";
import type { BackwardData, BackwardWeights, Forward } from "./convolution-candidates.js";
import { type Activation, type Context, mapDims, type Stage } from "./layer.js";
import { winograd } from "./winograd.js";

/** Pictures of so few channels come row-major and are read so; all other layouts are the library's choice. */
const FEW_CHANNELS = 4;

/** The ReLU that follows is fused into the forward operation. Which way each direction takes is measured. */
export function convolution(layer: Convolution, x: Activation, context: Context): Stage {
  const { build, batchSize, parameters, training } = context;
  const { bindings } = build.library;
  const { name, kind, filters, size, stride, padding, groups } = layer;
  const [, channels] = x.dims;
  const dims = mapDims(batchSize, context.output);
  const weightDims =
    groups === 1 ? [filters, channels, size, size] : [groups, filters / groups, channels / groups, size, size];
  const layout: Layout = channels <= FEW_CHANNELS ? "row-major" : "any";
  const spec = {
    algorithm: "direct",
    src: build.descriptor(x.dims, layout),
    weights: build.descriptor(weightDims, "any"),
    bias: build.descriptor([filters], "row-major"),
    dst: build.descriptor(dims, "any"),
    stride,
    padding,
  } as const;
  const flops = 2 * batchSize * volume(context.output) * (channels / groups) * size * size;
  const rectified = context.following[0]?.kind === "relu";
  const ways = winograd(build, { layer, dims: x.dims, output: dims, weightDims, rectified, flops });

  /** Of the ways that there are, the quickest. `add` adds one to a trial. */
  const choose = <Way>(
    info: OperationInfo,
    ways: Readonly<Record<string, Way | undefined>>,
    add: (trial: Build, way: Way) => void,
  ): Way => {
    const candidates = Object.entries(ways).flatMap(([name, way]) =>
      way === undefined ? [] : [{ ...asProgram(build.library, name, (trial) => add(trial, way)), way }],
    );
    const window = `${size}x${size}, stride ${stride}, padding ${padding}, groups ${groups}`;
    const mode = `${training ? "training" : "prediction"}${rectified ? ", ReLU" : ""}`;
    const problem = `${info.direction} ${x.dims.join("x")} to ${dims.join("x")}, ${window}, ${mode}`;
    return context.algorithms.choose(`${name} ${info.direction}`, problem, flops, candidates).way;
  };

  const forwardInfo = { layer: name, kind, direction: "forward", flops } as const;
  const attributes = bindings.attributes({ relu: rectified });
  const direct = bindings.convolutionForward(spec, training, attributes);
  const dst = build.query(direct, Query.dst);
  const directForward: Forward = (into, from, weights, bias) => {
    const src = into.reorder(from, build.query(direct, Query.src), forwardInfo);
    const y = into.tensor(dst);
    into.execute(forwardInfo, direct, [
      [Argument.src, src],
      [Argument.weights, weights],
      [Argument.bias, bias],
      [Argument.dst, y],
    ]);
    return { src, y };
  };
  const ownWeights = build.query(direct, Query.weights);
  const forward = choose<Forward>(forwardInfo, { direct: directForward, winograd: ways.forward }, (trial, way) => {
    const [weights, bias] = [ownWeights, spec.bias].map((descriptor) => standIn(trial, { descriptor }));
    trial.reorder(way(trial, standIn(trial, x.tensor), weights, bias, dst).y, dst, forwardInfo);
  });
  const weights = parameters.place(`${name}.weight`, weightDims, ownWeights);
  const bias = parameters.place(`${name}.bias`, [filters], spec.bias);
  const { y, ...read } = forward(build, x.tensor, weights.value, bias.value, dst);

  const backwardWeights = (dy: Tensor): void => {
    const info = { layer: name, kind, direction: "backward-weights", flops } as const;
    const byPrimitive =
      (primitive: PrimitiveDescriptor): BackwardWeights =>
      (into, { src }, slope, weightGradient, biasGradient) => {
        const dw = into.target(weightGradient, build.query(primitive, Query.diffWeights), info);
        into.execute(info, primitive, [
          [Argument.src, into.reorder(src, build.query(primitive, Query.src), info)],
          [Argument.diffDst, into.reorder(slope, build.query(primitive, Query.diffDst), info)],
          [Argument.diffWeights, dw.tensor],
          [Argument.diffBias, biasGradient],
        ]);
        dw.settle();
      };
    const create = (given: typeof spec) => bindings.convolutionBackwardWeights(given, build.attributes, direct);
    const rows = { src: build.descriptor(x.dims, "row-major"), dst: build.descriptor(dims, "row-major") };
    // The library makes matrix products of row-major maps.
    const product = build.quickOnly(() => create({ ...spec, ...rows }));
    const gradients = [parameters.gradient(weights), parameters.gradient(bias)];
    const way = choose<BackwardWeights>(
      info,
      {
        direct: byPrimitive(create(spec)),
        product: product === undefined ? undefined : byPrimitive(product),
        winograd: ways.backwardWeights,
      },
      (trial, way) => {
        const [dw, db] = gradients.map((gradient) => standIn(trial, gradient));
        const src = standIn(trial, read.src);
        const own = read.folded ? { src, folded: standIn(trial, read.folded) } : { src };
        way(trial, own, standIn(trial, dy), dw, db);
      },
    );
    const [dw, db] = gradients;
    way(build, read, dy, dw, db);
  };

  const backwardData = (dy: Tensor): Tensor => {
    const info = { layer: name, kind, direction: "backward-data", flops } as const;
    const primitive = bindings.convolutionBackwardData(spec, build.attributes, direct);
    const diffSrc = build.query(primitive, Query.diffSrc);
    const directBackward: BackwardData = (into, slope, values) => {
      const dx = into.tensor(diffSrc);
      into.execute(info, primitive, [
        [Argument.diffDst, into.reorder(slope, build.query(primitive, Query.diffDst), info)],
        [Argument.weights, into.reorder(values, build.query(primitive, Query.weights), info)],
        [Argument.diffSrc, dx],
      ]);
      return dx;
    };
    const way = choose<BackwardData>(info, { direct: directBackward, winograd: ways.backwardData }, (trial, way) => {
      const dx = way(trial, standIn(trial, dy), standIn(trial, weights.value), diffSrc);
      trial.reorder(dx, diffSrc, info);
    });
    return way(build, dy, weights.value, diffSrc);
  };

  return {
    y: { tensor: y, dims, rectified },
    backward(dy) {
      if (parameters.learns(name)) backwardWeights(dy);
      return context.needsInputGradient ? backwardData(dy) : undefined;
    },
  };
}
