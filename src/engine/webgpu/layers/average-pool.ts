import type { AveragePool } from "../../../network/network.js";
import { volume } from "../../../network/shapes.js";
import { partOf } from "../build.js";
import type { Tensor } from "../dispatch.js";
import type { Activation, Context, Stage } from "../layer.js";
import { each, float } from "../wgsl.js";
import { windowsOf } from "./max-pool.js";

/** Every value of a window gets the same part of its gradient. */
export function averagePool({ name, kind, size, stride }: AveragePool, x: Activation, context: Context): Stage {
  const { build, batchSize, output } = context;
  const { height, width } = x.shape;
  const [inVolume, outVolume] = [volume(x.shape), volume(output)];
  const y = build.tensor(batchSize * outVolume);
  const share = float(1 / size ** 2);
  const parts = build.parts(name, batchSize, [inVolume, outVolume]);
  build.add(
    { layer: name, kind, direction: "forward" },
    "average-pool",
    parts.map((part) => ({
      bindings: { x: partOf(x.tensor, part, inVolume), y: partOf(y, part, outVolume) },
      ...each(
        part.count * outVolume,
        `let map = index / ${output.height * output.width}u;
  let corner = (map * ${height}u + index / ${output.width}u % ${output.height}u * ${stride}u) * ${width}u + index % ${output.width}u * ${stride}u;
  var sum = 0.0f;
  for (var row = 0u; row < ${size}u; row++) {
    for (var column = 0u; column < ${size}u; column++) { sum += x[corner + row * ${width}u + column]; }
  }
  y[index] = sum * ${share};`,
      ),
    })),
  );

  const backward = (dy: Tensor): Tensor | undefined => {
    if (!context.needsInputGradient) return undefined;
    const dx = build.tensor(batchSize * inVolume);
    build.add(
      { layer: name, kind, direction: "backward-data" },
      "average-pool",
      parts.map((part) => ({
        bindings: { dy: partOf(dy, part, outVolume), dx: partOf(dx, part, inVolume) },
        ...each(
          part.count * inVolume,
          `${windowsOf({ size, stride, height, width, output })}
  var sum = 0.0f;
  for (var i = first_row; i < end_row; i++) {
    for (var j = first_column; j < end_column; j++) { sum += dy[(map * ${output.height}u + i) * ${output.width}u + j]; }
  }
  dx[index] = sum * ${share};`,
        ),
      })),
    );
    return dx;
  };
  return { y: { tensor: y, shape: output }, backward };
}
