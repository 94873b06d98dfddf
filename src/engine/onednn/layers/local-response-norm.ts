import type { LocalResponseNorm } from "../../../network/network.js";
import type { OperationInfo } from "../../program/operations.js";
import type { Build, Tensor } from "../build.js";
import { type Activation, type Context, rowMajor, type Stage } from "../layer.js";
import { Argument, type PrimitiveDescriptor, Query } from "../native/bindings.js";
import { pointwiseNorm } from "./pointwise-norm.js";

/** The library divides alpha by the window's number of values; the paper does not. */
export function localResponseNorm(layer: LocalResponseNorm, x: Activation, context: Context): Stage {
  if (layer.n === 1) return pointwiseNorm(layer, x, context);
  const { build, training } = context;
  const { bindings } = build.library;
  const { name, kind, n, k, alpha, beta, region, groups = 1 } = layer;
  const withinMap = region === "within-map";
  const forward = { layer: name, kind, direction: "forward" } as const;
  const src = groups === 1 ? x.tensor : groupsAsSamples(x, groups, build, forward);
  const dims = [x.dims[0] * groups, x.dims[1] / groups, ...x.dims.slice(2)]; // groups count as samples
  const spec = { data: src.descriptor, withinMap, n, k, beta, alpha: alpha * (withinMap ? n * n : n) };
  const forwardOperation = bindings.lrnForward(spec, training, build.attributes);
  const y = build.tensor(spec.data);
  const workspace = build.workspace(forwardOperation);
  build.execute(forward, forwardOperation, [[Argument.src, src], [Argument.dst, y], ...workspace]);
  const whole = groups === 1 ? spec.data : build.descriptor(x.dims, "row-major");

  const libraryBackward = (operation: PrimitiveDescriptor, dy: Tensor, info: OperationInfo): Tensor => {
    const upstream = { ...build.reorder(dy, whole, info), descriptor: spec.data };
    const dx = build.tensor(spec.data);
    build.execute(info, operation, [
      [Argument.src, src],
      [Argument.diffDst, build.reorder(upstream, build.query(operation, Query.diffDst), info)],
      [Argument.diffSrc, dx],
      ...workspace,
    ]);
    return { ...dx, descriptor: whole };
  };

  return {
    y: { tensor: { ...y, descriptor: whole }, dims: x.dims, rectified: false },
    backward(dy) {
      if (!context.needsInputGradient) return undefined;
      const info = { layer: name, kind, direction: "backward-data" } as const;
      const operation = bindings.lrnBackward(spec, build.attributes, forwardOperation);
      const implementation = bindings.implementation(operation);
      const isUsable = !implementation.includes("ref") && !computesWrongly(build, implementation, n, src, dims);
      return withinMap || isUsable ? libraryBackward(operation, dy, info) : ownBackward(layer, x, dy, build, info);
    },
  };
}

/**
 * Whether the library is known to give wrong gradients: oneDNN 3.7 on AVX-512, of more than 16 maps that lie innermost, in
 * bfloat16 where they don't fill whole vectors, in both types where the window reaches further than two maps.
 */
function computesWrongly(build: Build, implementation: string, n: number, x: Tensor, dims: readonly number[]): boolean {
  const [, channels, height, width] = dims;
  if (!build.library.version.startsWith("3.") || !implementation.startsWith("lrn_jit:avx512")) return false;
  const areInnermost =
    height * width === 1 || build.library.bindings.equal(x.descriptor, build.descriptor(dims, "channels-last", x.type));
  return areInnermost && channels > 16 && (n > 5 || (x.type === "bfloat16" && channels % 16 !== 0));
}

/** On this thread, channels innermost. */
function ownBackward(layer: LocalResponseNorm, x: Activation, dy: Tensor, build: Build, info: OperationInfo): Tensor {
  const layout = build.descriptor(x.dims, "channels-last", "float32");
  const [source, upstream] = [x.tensor, dy].map((tensor) => build.reorder(tensor, layout, info));
  const dx = build.tensor(layout);
  build.compute(info, [source, upstream, dx], () => {
    const [values, gradients, out] = [source, upstream, dx].map((tensor) => build.floats(tensor));
    return () => lrnBackward(layer, values, gradients, out, x.dims[1]);
  });
  return dx;
}

/** Row-major maps whose groups count as samples of their own: windows across maps then end at the groups' borders. */
function groupsAsSamples(x: Activation, groups: number, build: Build, info: OperationInfo): Tensor {
  const [batch, channels, ...rest] = x.dims;
  const tensor = rowMajor(build, x, info);
  return { ...tensor, descriptor: build.descriptor([batch * groups, channels / groups, ...rest], "row-major") };
}

/**
 * The gradient of response normalisation across maps, for where the library has no quick one (oneDNN 3 on AVX2; maps
 * not divisible by 8): with s = k + alpha * window sum of x^2,
 * dx_i = dy_i s_i^-beta - 2 alpha beta x_i sum_j dy_j x_j s_j^(-beta - 1).
 * x, dy and dx are (pixels, channels); dx is overwritten.
 */
function lrnBackward(
  { n, k, alpha, beta, groups = 1 }: LocalResponseNorm,
  x: Float32Array,
  dy: Float32Array,
  dx: Float32Array,
  channels: number,
): void {
  const radius = n >> 1;
  const perGroup = channels / groups;
  const square = new Float64Array(perGroup);
  const power = new Float64Array(perGroup); // s^-beta
  const share = new Float64Array(perGroup); // dy x s^(-beta - 1)
  const factor = 2 * alpha * beta;
  for (let start = 0; start < x.length; start += perGroup) {
    for (let i = 0; i < perGroup; i++) square[i] = x[start + i] * x[start + i];
    for (let i = 0; i < perGroup; i++) {
      const s = k + alpha * windowSum(square, i, radius);
      const u = 1 / Math.sqrt(Math.sqrt(s));
      power[i] = beta === 0.75 ? u * u * u : s ** -beta;
      share[i] = dy[start + i] * x[start + i] * power[i] * u * u * u * u;
    }
    for (let i = 0; i < perGroup; i++)
      dx[start + i] = dy[start + i] * power[i] - factor * x[start + i] * windowSum(share, i, radius);
  }
}

/** Of the values up to `radius` places from `centre`, as far as there are any. */
function windowSum(values: Float64Array, centre: number, radius: number): number {
  const first = centre > radius ? centre - radius : 0;
  const last = centre + radius < values.length ? centre + radius : values.length - 1;
  let sum = 0;
  for (let i = first; i <= last; i++) sum += values[i];
  return sum;
}
