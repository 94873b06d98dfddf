import type { AveragePool } from "../../../network/network.js";
import { volume } from "../../../network/shapes.js";
import type { Activation, Context, Stage } from "../layer.js";

/** A kernel of its own: no network of the paper's family has it where speed matters. */
export function averagePool(layer: AveragePool, x: Activation, context: Context): Stage {
  const { build, batchSize, output } = context;
  const { name, kind, size, stride } = layer;
  const { channels, height, width } = x.shape;
  const definitions = {
    ...{ HEIGHT: height, WIDTH: width, CHANNELS: channels },
    ...{ OUT_HEIGHT: output.height, OUT_WIDTH: output.width, SIZE: size, STRIDE: stride },
  };
  const { kernels } = build.gpu;
  const y = build.tensor(batchSize * volume(output));
  build.add({ layer: name, kind, direction: "forward" }, [x.tensor, y], "average-pool.cu", () =>
    kernels.each("average-pool", "forward", definitions, y.length, [
      ...[x.tensor, y].map((tensor) => build.address(tensor)),
      batchSize,
    ]),
  );
  return {
    y: { tensor: y, shape: output, rectified: x.rectified },
    backward(dy) {
      if (!context.needsInputGradient) return undefined;
      const dx = build.tensor(x.tensor.length);
      build.add({ layer: name, kind, direction: "backward-data" }, [dy, dx], "average-pool.cu", () =>
        kernels.each("average-pool", "backward", definitions, dx.length, [
          ...[dy, dx].map((tensor) => build.address(tensor)),
          batchSize,
        ]),
      );
      return dx;
    },
  };
}
