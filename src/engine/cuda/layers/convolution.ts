import type { Convolution } from "../../../network/network.js";
import { volume } from "../../../network/shapes.js";
import type { OperationInfo } from "../../program/operations.js";
import type { Tensor } from "../build.js";
import type { Activation, Context, Stage } from "../layer.js";
import type { ConvolutionShape } from "../native/dnn.js";
import type { Algorithm } from "../tuning.js";
import { addColumnSums } from "./column-sum.js";
import { ConvolutionAsProduct } from "./convolution-product.js";
import { type Layout, range, type Squares } from "./layout.js";
import { addTapClearing } from "./taps.js";

/** Pictures of so few channels leave most of a matrix unit idle: squares of their pixels count as one pixel. */
const FEW_CHANNELS = 4;

/** How a first layer wants its input: in squares of its stride, where it has few channels. */
export function squaresFor(layer: Convolution, channels: number, size: number): Squares | undefined {
  const { stride, padding, groups } = layer;
  if (channels > FEW_CHANNELS || stride === 1 || groups !== 1) return undefined;
  const outputs = Math.floor((size + 2 * padding - layer.size) / stride) + 1;
  return { block: stride, count: outputs + Math.ceil(layer.size / stride) - 1, padding };
}

/**
 * Filters are (filters, size, size, channels / groups). The ReLU that follows is fused into the forward operation.
 * Each direction is done by cuDNN or as a product of matrices, whichever is quicker here.
 */
export function convolution(layer: Convolution, x: Activation, context: Context): Stage {
  const { build, batchSize, parameters } = context;
  const { name, kind, filters } = layer;
  const shape = shapeOf(layer, x, batchSize);
  const weights = parameters.place(`${name}.weight`, weightLayout(layer, x, shape));
  const bias = parameters.place(`${name}.bias`, { places: [range(filters, 1)], length: filters });
  const output = { channels: filters, height: shape.outHeight, width: shape.outWidth };
  const y = build.tensor(batchSize * volume(output));
  const rectified = context.following[0]?.kind === "relu";
  const flops = 2 * batchSize * volume(output) * (x.shape.channels / layer.groups) * layer.size ** 2;

  const library = build.gpu.dnn.prepare(shape);
  build.own(library.close);
  const product = new ConvolutionAsProduct(build, shape);
  const description = `${Object.values(shape).join("x")} ${rectified}`;
  /** The library's algorithm where it has one and there is memory for it, and the product's. */
  const algorithms = (
    bytes: number | undefined,
    byLibrary: () => () => void,
    asProduct: () => () => void,
  ): Algorithm[] => {
    const other = { implementation: "im2col+cublaslt", prepare: asProduct };
    if (bytes === undefined || !build.reserve(bytes)) return [other];
    return [{ implementation: "cudnn implicit-gemm", prepare: byLibrary }, other];
  };

  build.addQuickest(
    { layer: name, kind, direction: "forward", flops },
    description,
    [x.tensor, weights.operand, bias.operand, y],
    algorithms(
      library.workspace.forward,
      () => {
        const [xAt, wAt, biasAt, yAt] = [x.tensor, weights.operand, bias.operand, y].map((t) => build.address(t));
        return () => library.forward(xAt, wAt, biasAt, yAt, rectified, build.scratch());
      },
      () => product.forward(x.tensor, weights.operand, bias.operand, y, rectified),
    ),
  );

  const backwardWeights = (dy: Tensor): void => {
    const info = { layer: name, kind, direction: "backward-weights" } as const satisfies OperationInfo;
    const [dw, db] = [weights, bias].map(({ gradient }) => gradient);
    if (dw === undefined || db === undefined) return;
    // The library gives the gradient in the format of its operands.
    const narrow = build.format === "float32" ? dw : build.tensor(dw.length);
    build.addQuickest(
      { ...info, flops },
      description,
      [x.tensor, dy, dw, narrow],
      algorithms(
        library.workspace.weights,
        () => {
          const [xAt, dyAt, dwAt, narrowAt] = [x.tensor, dy, dw, narrow].map((t) => build.address(t));
          const count = BigInt(dw.length);
          const widen = build.gpu.kernels.each("convert", "widen", {}, dw.length, [narrowAt, dwAt, count]);
          return () => {
            library.backwardWeights(xAt, dyAt, narrowAt, build.scratch());
            if (narrow !== dw) widen();
          };
        },
        () => product.backwardWeights(x.tensor, dy, dw),
      ),
    );
    if (x.squares !== undefined) addTapClearing(build, info, dw, layer, x.squares);
    const sums = addColumnSums(build, dy, filters, db);
    build.add(info, [dy, db, ...sums.tensors], "column-sum.cu", sums.prepare);
  };

  const backwardData = (dy: Tensor): Tensor => {
    const dx = build.tensor(batchSize * shape.channels * shape.height * shape.width);
    build.addQuickest(
      { layer: name, kind, direction: "backward-data", flops },
      description,
      [dy, weights.operand, dx],
      algorithms(
        library.workspace.data,
        () => {
          const [dyAt, wAt, dxAt] = [dy, weights.operand, dx].map((t) => build.address(t));
          return () => library.backwardData(dyAt, wAt, dxAt, build.scratch());
        },
        () => product.backwardData(dy, weights.operand, dx),
      ),
    );
    return dx;
  };

  return {
    y: { tensor: y, shape: output, rectified },
    backward(dy) {
      if (parameters.learns(name)) backwardWeights(dy);
      return context.needsInputGradient ? backwardData(dy) : undefined;
    },
  };
}

/** The convolution that is computed: over squares it has the stride 1, more channels and smaller filters. */
function shapeOf(layer: Convolution, { shape, squares }: Activation, batch: number): ConvolutionShape {
  const { filters, size, stride, padding, groups } = layer;
  const along = (length: number): number => Math.floor((length + 2 * padding - size) / stride) + 1;
  const common = { batch, filters, groups, outHeight: along(shape.height), outWidth: along(shape.width) };
  if (squares === undefined) return { ...common, ...shape, size, stride, padding };
  const { block, count } = squares;
  return {
    ...common,
    ...{ channels: shape.channels * block * block, height: count, width: count },
    ...{ size: Math.ceil(size / block), stride: 1, padding: 0 },
  };
}

/** Of (filters, channels / groups, size, size). */
function weightLayout(layer: Convolution, { squares }: Activation, shape: ConvolutionShape): Layout {
  const { filters, size } = layer;
  const perGroup = shape.channels / shape.groups;
  const length = filters * shape.size ** 2 * perGroup;
  const perFilter = range(filters, length / filters);
  if (squares === undefined)
    return {
      places: [perFilter, range(perGroup, 1), range(size, size * perGroup), range(size, perGroup)],
      length,
    };
  const { block } = squares;
  const channels = perGroup / (block * block);
  const along = (square: number, within: number): Int32Array =>
    Int32Array.from({ length: size }, (_, tap) => Math.floor(tap / block) * square + (tap % block) * within);
  return {
    places: [perFilter, range(channels, 1), along(shape.size * perGroup, block * channels), along(perGroup, channels)],
    length,
  };
}
