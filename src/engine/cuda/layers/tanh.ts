import type { Tanh } from "../../../network/network.js";
import type { Activation, Context, Stage } from "../layer.js";

/** Backward reads x, which no later layer overwrites, as dropout does y. */
export function tanh({ name, kind }: Tanh, x: Activation, context: Context): Stage {
  const { build } = context;
  const { kernels } = build.gpu;
  const count = x.tensor.length;
  const y = build.tensor(count);
  build.add({ layer: name, kind, direction: "forward" }, [x.tensor, y], "tanh.cu", () =>
    kernels.each("tanh", "forward", {}, count, [...[x.tensor, y].map((tensor) => build.address(tensor)), count]),
  );
  return {
    y: { tensor: y, shape: x.shape, rectified: false },
    backward(dy) {
      if (!context.needsInputGradient) return undefined;
      const dx = build.tensor(count);
      const tensors = [x.tensor, dy, dx];
      build.add({ layer: name, kind, direction: "backward-data" }, tensors, "tanh.cu", () =>
        kernels.each("tanh", "backward", {}, count, [...tensors.map((tensor) => build.address(tensor)), count]),
      );
      return dx;
    },
  };
}
