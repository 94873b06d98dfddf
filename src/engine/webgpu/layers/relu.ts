import type { Relu } from "../../../network/network.js";
import { partOf } from "../build.js";
import type { Tensor } from "../dispatch.js";
import type { Activation, Context, Stage } from "../layer.js";
import { each } from "../wgsl.js";

/** A layer of its own only where no convolution or product before it takes it along. */
export function relu({ name, kind }: Relu, x: Activation, context: Context): Stage {
  const { build, batchSize } = context;
  const y = build.tensor(x.tensor.length);
  const volume = y.length / batchSize;
  build.add(
    { layer: name, kind, direction: "forward" },
    "relu",
    build.parts(name, batchSize, [volume]).map((part) => ({
      bindings: { x: partOf(x.tensor, part, volume), y: partOf(y, part, volume) },
      ...each(part.count * volume, `let value = x[index]; y[index] = ${rectified("value")};`),
    })),
  );
  return {
    y: { ...x, tensor: y },
    backward(dy) {
      addRectifierGradient(context, name, y, dy);
      return dy;
    },
  };
}

/** max(value, 0); NaN passes. */
export function rectified(value: string): string {
  return `select(${value}, 0.0f, ${value} < 0.0f)`;
}

/** Clears the gradient where y, which was rectified, is 0. */
export function addRectifierGradient({ build, batchSize }: Context, layer: string, y: Tensor, dy: Tensor): void {
  const volume = y.length / batchSize;
  build.add(
    { layer, kind: "relu", direction: "backward-data" },
    "relu",
    build.parts(layer, batchSize, [volume]).map((part) => ({
      bindings: { y: partOf(y, part, volume), dy: partOf(dy, part, volume) },
      ...each(part.count * volume, "if (y[index] <= 0.0f) { dy[index] = 0.0f; }"),
    })),
  );
}
