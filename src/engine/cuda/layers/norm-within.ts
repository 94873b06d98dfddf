import type { LocalResponseNorm } from "../../../network/network.js";
import { volume } from "../../../network/shapes.js";
import { float } from "../kernels/kernels.js";
import type { Activation, Context, Stage } from "../layer.js";

/** Response normalisation over windows of one map. */
export function normWithin(layer: LocalResponseNorm, x: Activation, context: Context): Stage {
  const { build, batchSize } = context;
  const { name, kind, n, k, alpha, beta } = layer;
  const { channels, height, width } = x.shape;
  const definitions = {
    ...{ HEIGHT: height, WIDTH: width, CHANNELS: channels, RADIUS: n >> 1 },
    ...{ K: float(k), ALPHA: float(alpha), BETA: float(beta) },
  };
  const count = batchSize * volume(x.shape);
  const { kernels } = build.gpu;
  const y = build.tensor(count);
  build.add({ layer: name, kind, direction: "forward" }, [x.tensor, y], "norm-within.cu", () =>
    kernels.each("norm-within", "forward", definitions, count, [
      ...[x.tensor, y].map((tensor) => build.address(tensor)),
      batchSize,
    ]),
  );
  return {
    y: { tensor: y, shape: x.shape, rectified: false },
    backward(dy) {
      if (!context.needsInputGradient) return undefined;
      const dx = build.tensor(count);
      const tensors = [x.tensor, dy, dx];
      build.add({ layer: name, kind, direction: "backward-data" }, tensors, "norm-within.cu", () =>
        kernels.each("norm-within", "backward", definitions, count, [
          ...tensors.map((tensor) => build.address(tensor)),
          batchSize,
        ]),
      );
      return dx;
    },
  };
}
