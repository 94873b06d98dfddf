import type { Convolution } from "../../network/network.js";
import { volume } from "../../network/shapes.js";
import { Argument, type Layout, Query } from "./bindings.js";
import type { Tensor } from "./build.js";
import { type Activation, type Context, mapDims, type Stage } from "./layer.js";

/** Pictures of so few channels come row-major and are read so; all other layouts are the library's choice. */
const FEW_CHANNELS = 4;

/**
 * On AVX2, weight gradients over maps of so few values are quicker as matrix products, which the library makes of
 * row-major maps, than as direct convolutions. (oneDNN 2.6, batch 128, milliseconds, direct and product: conv3 389 and
 * 271, conv4 291 and 212, conv5 280 and 146; but over the larger maps of conv2 505 and 652, of conv1 344 and 420.)
 */
const SMALL_MAP = 256;

/** The ReLU that follows is fused into the forward operation. */
export function convolution(layer: Convolution, x: Activation, context: Context): Stage {
  const { build, batchSize, parameters } = context;
  const { bindings } = build.library;
  const { name, kind, filters, size, stride, padding, groups } = layer;
  const [, channels] = x.dims;
  const dims = mapDims(batchSize, context.output);
  const weightDims =
    groups === 1 ? [filters, channels, size, size] : [groups, filters / groups, channels / groups, size, size];
  const layout: Layout = channels <= FEW_CHANNELS ? "row-major" : "any";
  const spec = {
    src: build.descriptor(x.dims, layout),
    weights: build.descriptor(weightDims, "any"),
    bias: build.descriptor([filters], "row-major"),
    dst: build.descriptor(dims, "any"),
    stride,
    padding,
  };
  const rows = { src: build.descriptor(x.dims, "row-major"), dst: build.descriptor(dims, "row-major") };
  const flops = 2 * batchSize * volume(context.output) * (channels / groups) * size * size;
  const rectified = context.next?.kind === "relu";
  const operation = build.own(
    bindings.convolutionForward(spec, context.training, bindings.attributes({ relu: rectified })),
  );
  const forward = { layer: name, kind, direction: "forward", flops } as const;
  const src = build.reorder(x.tensor, build.query(operation, Query.src), forward);
  const weights = parameters.place(`${name}.weight`, weightDims, build.query(operation, Query.weights));
  const bias = parameters.place(`${name}.bias`, [filters], spec.bias);
  const y = build.tensor(build.query(operation, Query.dst));
  build.execute(forward, operation, [
    [Argument.src, src],
    [Argument.weights, weights.value],
    [Argument.bias, bias.value],
    [Argument.dst, y],
  ]);

  const backwardWeights = (dy: Tensor): void => {
    const info = { layer: name, kind, direction: "backward-weights", flops } as const;
    const direct = build.own(bindings.convolutionBackwardWeights(spec, build.attributes, operation));
    const asProduct = bindings.implementation(direct) === "jit:avx2" && volume(context.output) / filters <= SMALL_MAP;
    const backward = asProduct
      ? build.own(bindings.convolutionBackwardWeights({ ...spec, ...rows }, build.attributes, operation))
      : direct;
    const dw = parameters.gradientTarget(weights, build.query(backward, Query.diffWeights), info);
    const db = parameters.gradientTarget(bias, spec.bias, info);
    build.execute(info, backward, [
      [Argument.src, build.reorder(src, build.query(backward, Query.src), info)],
      [Argument.diffDst, build.reorder(dy, build.query(backward, Query.diffDst), info)],
      [Argument.diffWeights, dw.tensor],
      [Argument.diffBias, db.tensor],
    ]);
    dw.settle();
  };

  const backwardData = (dy: Tensor): Tensor => {
    const info = { layer: name, kind, direction: "backward-data", flops } as const;
    const backward = build.own(bindings.convolutionBackwardData(spec, build.attributes, operation));
    const dx = build.tensor(build.query(backward, Query.diffSrc));
    build.execute(info, backward, [
      [Argument.diffDst, build.reorder(dy, build.query(backward, Query.diffDst), info)],
      [Argument.weights, build.reorder(weights.value, build.query(backward, Query.weights), info)],
      [Argument.diffSrc, dx],
    ]);
    return dx;
  };

  return {
    y: { tensor: y, dims, rectified },
    backward(dy) {
      if (parameters.learns(name)) backwardWeights(dy);
      return context.needsInputGradient ? backwardData(dy) : undefined;
    },
  };
}
