import type { Dropout } from "../../../network/network.js";
import { volume } from "../../../network/shapes.js";
import type { OperationInfo } from "../../program/operations.js";
import type { Tensor } from "../build.js";
import { float, vectorOf } from "../kernels/kernels.js";
import type { Activation, Context, Stage } from "../layer.js";

/**
 * Only in training. Where nobody else reads x, y takes its place: what was dropped is 0 then, and so is its gradient,
 * which is all that a ReLU before it needs to know.
 */
export function dropout({ name, kind, rate }: Dropout, x: Activation, context: Context): Stage {
  if (!context.training || rate === 0) return { y: x, backward: (dy) => dy };
  const { build, batchSize } = context;
  const { channels, height, width } = x.shape;
  const definitions = {
    ...{ LAYER: context.index, CHANNELS: channels, PIXELS: height * width, VECTOR: vectorOf(volume(x.shape)) },
    DROPPED: `${Math.ceil(rate * 0x1_0000_0000)}ull`,
    KEPT: float(1 / (1 - rate)),
  };
  const drop = (info: OperationInfo, from: Tensor, to: Tensor): void =>
    build.add(info, [context.controls, from, to], "dropout.cu", () =>
      build.gpu.kernels.each("dropout", "drop", definitions, to.length / definitions.VECTOR, [
        ...[context.controls, from, to].map((tensor) => build.address(tensor)),
        batchSize,
      ]),
    );
  const y = x.tensor.block.kept ? build.tensor(x.tensor.length) : x.tensor;
  drop({ layer: name, kind, direction: "forward" }, x.tensor, y);
  return {
    y: { ...x, tensor: y },
    backward(dy) {
      drop({ layer: name, kind, direction: "backward-data" }, dy, dy);
      return dy;
    },
  };
}
