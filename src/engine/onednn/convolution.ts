import type { Convolution } from "../../network/network.js";
import { volume } from "../../network/shapes.js";
import { asProgram, standIn } from "./algorithms.js";
import { Argument, type Layout, type Pointer, Query, unlessNotImplemented } from "./bindings.js";
import type { Build, OperationInfo, Tensor } from "./build.js";
import { type Activation, type Context, mapDims, type Stage } from "./layer.js";

/** Pictures of so few channels come row-major and are read so; all other layouts are the library's choice. */
const FEW_CHANNELS = 4;

/** The ReLU that follows is fused into the forward operation. Which algorithm each direction takes is measured. */
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
  const winograd = { ...spec, algorithm: "winograd" } as const;
  const flops = 2 * batchSize * volume(context.output) * (channels / groups) * size * size;
  const rectified = context.next?.kind === "relu";

  /** Of the primitives that the library has, the quickest together with the copies between layouts that it needs. */
  const choose = (
    info: OperationInfo,
    direct: Pointer,
    others: Readonly<Record<string, () => Pointer>>,
    add: (build: Build, primitive: Pointer) => void,
  ): Pointer => {
    const offered = Object.entries(others).flatMap(([way, create]) => {
      const primitive = unlessNotImplemented(create);
      if (primitive === undefined) return [];
      build.own(primitive);
      return bindings.implementation(primitive).startsWith("ref") ? [] : [{ way, primitive }];
    });
    const candidates = [{ way: "direct", primitive: direct }, ...offered].map(({ way, primitive }) => ({
      ...asProgram(build.library, way, (trial) => add(trial, primitive)),
      primitive,
    }));
    const window = `${size}x${size}, stride ${stride}, padding ${padding}, groups ${groups}`;
    const mode = `${training ? "training" : "prediction"}${rectified ? ", ReLU" : ""}`;
    const problem = `${info.direction} ${x.dims.join("x")} to ${dims.join("x")}, ${window}, ${mode}`;
    return context.algorithms.choose(`${name} ${info.direction}`, problem, flops, candidates).primitive;
  };

  const forward = { layer: name, kind, direction: "forward", flops } as const;
  const addForward = (into: Build, primitive: Pointer, from: Tensor, weights: Tensor, bias: Tensor) => {
    const src = into.reorder(from, build.query(primitive, Query.src), forward);
    const y = into.tensor(build.query(primitive, Query.dst));
    into.execute(forward, primitive, [
      [Argument.src, src],
      [Argument.weights, weights],
      [Argument.bias, bias],
      [Argument.dst, y],
    ]);
    return { src, y };
  };
  const attributes = bindings.attributes({ relu: rectified });
  const direct = build.own(bindings.convolutionForward(spec, training, attributes));
  const ownWeights = build.query(direct, Query.weights); // Winograd's own layouts can't be learned in
  const operation = choose(
    forward,
    direct,
    { winograd: () => bindings.convolutionForward({ ...winograd, weights: ownWeights }, training, attributes) },
    (trial, primitive) => {
      const [weights, bias] = [ownWeights, spec.bias].map((descriptor) => standIn(trial, { descriptor }));
      const { y } = addForward(trial, primitive, standIn(trial, x.tensor), weights, bias);
      trial.reorder(y, build.query(direct, Query.dst), forward);
    },
  );
  const weights = parameters.place(`${name}.weight`, weightDims, ownWeights);
  const bias = parameters.place(`${name}.bias`, [filters], spec.bias);
  const { src, y } = addForward(build, operation, x.tensor, weights.value, bias.value);

  const backwardWeights = (dy: Tensor): void => {
    const info = { layer: name, kind, direction: "backward-weights", flops } as const;
    const create = (given: typeof spec | typeof winograd) =>
      bindings.convolutionBackwardWeights(given, build.attributes, operation);
    const add = (into: Build, primitive: Pointer, from: Tensor, slope: Tensor, gradients: readonly Tensor[]): void => {
      const [weightGradient, biasGradient] = gradients;
      const dw = into.target(weightGradient, build.query(primitive, Query.diffWeights), info);
      into.execute(info, primitive, [
        [Argument.src, into.reorder(from, build.query(primitive, Query.src), info)],
        [Argument.diffDst, into.reorder(slope, build.query(primitive, Query.diffDst), info)],
        [Argument.diffWeights, dw.tensor],
        [Argument.diffBias, biasGradient],
      ]);
      dw.settle();
    };
    const rows = { src: build.descriptor(x.dims, "row-major"), dst: build.descriptor(dims, "row-major") };
    const gradients = [parameters.gradient(weights), parameters.gradient(bias)];
    const primitive = choose(
      info,
      build.own(create(spec)),
      // The library makes matrix products of row-major maps.
      { product: () => create({ ...spec, ...rows }), winograd: () => create(winograd) },
      (trial, candidate) => {
        const own = gradients.map((gradient) => standIn(trial, gradient));
        add(trial, candidate, standIn(trial, src), standIn(trial, dy), own);
      },
    );
    add(build, primitive, src, dy, gradients);
  };

  const backwardData = (dy: Tensor): Tensor => {
    const info = { layer: name, kind, direction: "backward-data", flops } as const;
    const create = (given: typeof spec | typeof winograd) =>
      bindings.convolutionBackwardData(given, build.attributes, operation);
    const add = (into: Build, primitive: Pointer, slope: Tensor, values: Tensor): Tensor => {
      const dx = into.tensor(build.query(primitive, Query.diffSrc));
      into.execute(info, primitive, [
        [Argument.diffDst, into.reorder(slope, build.query(primitive, Query.diffDst), info)],
        [Argument.weights, into.reorder(values, build.query(primitive, Query.weights), info)],
        [Argument.diffSrc, dx],
      ]);
      return dx;
    };
    const usual = build.own(create(spec));
    const primitive = choose(info, usual, { winograd: () => create(winograd) }, (trial, candidate) => {
      const dx = add(trial, candidate, standIn(trial, dy), standIn(trial, weights.value));
      trial.reorder(dx, build.query(usual, Query.diffSrc), info);
    });
    return add(build, primitive, dy, weights.value);
  };

  return {
    y: { tensor: y, dims, rectified },
    backward(dy) {
      if (parameters.learns(name)) backwardWeights(dy);
      return context.needsInputGradient ? backwardData(dy) : undefined;
    },
  };
}
