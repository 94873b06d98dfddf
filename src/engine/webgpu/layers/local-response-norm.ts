import type { LocalResponseNorm } from "../../../network/network.js";
import { type Shape, volume } from "../../../network/shapes.js";
import { partOf } from "../build.js";
import type { Tensor } from "../dispatch.js";
import type { Activation, Context, Stage } from "../layer.js";
import { each, float } from "../wgsl.js";

/**
 * y_i = x_i s_i^-beta with s_i = k + alpha sum_j x_j^2 over the window around i; in training s is kept.
 * dx_j = dy_j s_j^-beta - 2 alpha beta x_j sum_i dy_i x_i s_i^(-beta-1): i has j in its window when j has i.
 */
export function localResponseNorm(layer: LocalResponseNorm, x: Activation, context: Context): Stage {
  const { build, batchSize, training } = context;
  const { name, kind, k, alpha, beta } = layer;
  const own = volume(x.shape);
  const y = build.tensor(batchSize * own);
  const divisors = training ? build.tensor(y.length) : undefined;
  const parts = build.parts(name, batchSize, [own]);
  build.add(
    { layer: name, kind, direction: "forward" },
    "norm",
    parts.map((part) => {
      const { code, workgroups } = each(
        part.count * own,
        `${overWindow(layer, x.shape, "x[i] * x[i]")}
  let s = ${float(k)} + ${float(alpha)} * sum;
  ${divisors ? "divisors[index] = s;" : ""}
  y[index] = x[index] * ${power("s", beta)};`,
      );
      const bindings = {
        x: partOf(x.tensor, part, own),
        y: partOf(y, part, own),
        ...(divisors && { divisors: partOf(divisors, part, own) }),
      };
      return { bindings, code, workgroups };
    }),
  );

  const backward = (dy: Tensor): Tensor | undefined => {
    if (!context.needsInputGradient || divisors === undefined) return undefined;
    const dx = build.tensor(batchSize * own);
    build.add(
      { layer: name, kind, direction: "backward-data" },
      "norm",
      parts.map((part) => ({
        bindings: {
          x: partOf(x.tensor, part, own),
          dy: partOf(dy, part, own),
          divisors: partOf(divisors, part, own),
          dx: partOf(dx, part, own),
        },
        ...each(
          part.count * own,
          `${overWindow(layer, x.shape, `dy[i] * x[i] * ${power("divisors[i]", beta)} / divisors[i]`)}
  dx[index] = dy[index] * ${power("divisors[index]", beta)} - ${float(2 * alpha * beta)} * x[index] * sum;`,
        ),
      })),
    );
    return dx;
  };
  return { y: { ...x, tensor: y }, backward };
}

/** value^-beta: by roots where they do it, which are more exact than powers. */
function power(value: string, beta: number): string {
  if (beta === 0.75) return `(inverseSqrt(${value}) * sqrt(inverseSqrt(${value})))`;
  if (beta === 0.5) return `inverseSqrt(${value})`;
  if (beta === 1) return `(1.0f / ${value})`;
  return `pow(${value}, ${float(-beta)})`;
}

/** Sums `term` of each i in the window of `index`, cut at the edges. */
function overWindow({ region = "across-maps", groups = 1, n }: LocalResponseNorm, shape: Shape, term: string): string {
  const { channels, height, width } = shape;
  const radius = (n - 1) / 2;
  const pixels = height * width;
  if (region === "across-maps") {
    const own = channels / groups;
    return `let map = index / ${pixels}u % ${own}u; // in its group
  let first = index - min(map, ${radius}u) * ${pixels}u;
  let last = index + min(${own - 1}u - map, ${radius}u) * ${pixels}u;
  var sum = 0.0f;
  for (var i = first; i <= last; i += ${pixels}u) { sum += ${term}; }`;
  }
  return `let row = index / ${width}u % ${height}u;
  let column = index % ${width}u;
  let up = min(row, ${radius}u);
  let before = min(column, ${radius}u);
  let down = min(${height - 1}u - row, ${radius}u);
  let after = min(${width - 1}u - column, ${radius}u);
  var sum = 0.0f;
  for (var r = 0u; r <= up + down; r++) {
    let start = index - (up - r) * ${width}u - before; // up - r may be below 0 and wrap around: so does the sum
    for (var i = start; i <= start + before + after; i++) { sum += ${term}; }
  }`;
}
