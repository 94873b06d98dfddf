import type { MaxPool } from "../../../network/network.js";
import { volume } from "../../../network/shapes.js";
import { partOf } from "../build.js";
import type { Tensor } from "../dispatch.js";
import type { Activation, Context, Stage } from "../layer.js";
import { each } from "../wgsl.js";

/** In training the place of each maximum in its window is kept: of equal ones the first, row by row. */
export function maxPool({ name, kind, size, stride }: MaxPool, x: Activation, context: Context): Stage {
  const { build, batchSize, output, training } = context;
  const { height, width } = x.shape;
  const [inVolume, outVolume] = [volume(x.shape), volume(output)];
  const y = build.tensor(batchSize * outVolume);
  const places = training ? build.tensor(y.length) : undefined;
  const parts = build.parts(name, batchSize, [inVolume, outVolume]);
  build.add(
    { layer: name, kind, direction: "forward" },
    "max-pool",
    parts.map((part) => ({
      bindings: {
        x: partOf(x.tensor, part, inVolume),
        y: partOf(y, part, outVolume),
        ...(places && { places: partOf(places, part, outVolume) }),
      },
      formats: { places: "u32" },
      ...each(
        part.count * outVolume,
        `let map = index / ${output.height * output.width}u;
  let corner = (map * ${height}u + index / ${output.width}u % ${output.height}u * ${stride}u) * ${width}u + index % ${output.width}u * ${stride}u;
  var most = x[corner];
  var place = 0u;
  for (var row = 0u; row < ${size}u; row++) {
    for (var column = 0u; column < ${size}u; column++) {
      let value = x[corner + row * ${width}u + column];
      if (value > most || value != value) { most = value; place = row * ${size}u + column; } // NaN is passed on
    }
  }
  y[index] = most;
  ${places ? "places[index] = place;" : ""}`,
      ),
    })),
  );

  const backward = (dy: Tensor): Tensor | undefined => {
    if (!context.needsInputGradient || places === undefined) return undefined;
    const dx = build.tensor(batchSize * inVolume);
    build.add(
      { layer: name, kind, direction: "backward-data" },
      "max-pool",
      parts.map((part) => ({
        bindings: {
          dy: partOf(dy, part, outVolume),
          places: partOf(places, part, outVolume),
          dx: partOf(dx, part, inVolume),
        },
        formats: { places: "u32" },
        ...each(
          part.count * inVolume,
          `${windowsOf({ size, stride, height, width, output })}
  var sum = 0.0f;
  for (var i = first_row; i < end_row; i++) {
    for (var j = first_column; j < end_column; j++) {
      let at = (map * ${output.height}u + i) * ${output.width}u + j;
      if (places[at] == (row - i * ${stride}u) * ${size}u + column - j * ${stride}u) { sum += dy[at]; }
    }
  }
  dx[index] = sum;`,
        ),
      })),
    );
    return dx;
  };
  return { y: { tensor: y, shape: output }, backward };
}

/** The windows that see input value `index`: rows first_row to end_row of the output, and so for columns. */
export function windowsOf({
  size,
  stride,
  height,
  width,
  output,
}: {
  readonly size: number;
  readonly stride: number;
  readonly height: number;
  readonly width: number;
  readonly output: { readonly height: number; readonly width: number };
}): string {
  const range = (at: string, most: number) => `
  let first_${at} = select((${at} - ${size}u) / ${stride}u + 1u, 0u, ${at} < ${size}u);
  let end_${at} = min(${at} / ${stride}u + 1u, ${most}u);`;
  return `let map = index / ${height * width}u;
  let row = index / ${width}u % ${height}u;
  let column = index % ${width}u;${range("row", output.height)}${range("column", output.width)}`;
}
