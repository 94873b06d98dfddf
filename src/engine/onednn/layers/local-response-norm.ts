import type { LocalResponseNorm } from "../../../network/network.js";
import type { OperationInfo } from "../../program/operations.js";
import type { Build, Tensor } from "../build.js";
import { type Activation, type Context, rowMajor, type Stage } from "../layer.js";
import { Argument, type Descriptor, type PrimitiveDescriptor, Query } from "../native/bindings.js";
import { mapNorm } from "./map-norm.js";
import { pointwiseNorm } from "./pointwise-norm.js";

/** The library divides alpha by the window's number of values; the paper does not. */
export function localResponseNorm(layer: LocalResponseNorm, x: Activation, context: Context): Stage {
  if (layer.n === 1) return pointwiseNorm(layer, x, context);
  if (layer.region === "within-map") return mapNorm(layer, x, context);
  const { build, training } = context;
  const { bindings } = build.library;
  const { name, kind, n, k, alpha, beta, groups = 1 } = layer;
  const forward = { layer: name, kind, direction: "forward" } as const;
  const dims = [x.dims[0] * groups, x.dims[1] / groups, ...x.dims.slice(2)]; // groups count as samples
  const given = groups === 1 ? x.tensor : groupsAsSamples(x, groups, build, forward);
  const parameters = { n, k, beta, alpha: alpha * n };
  const lrnOf = (data: Descriptor): PrimitiveDescriptor =>
    bindings.lrnForward({ data, ...parameters }, training, build.attributes);
  const usual = lrnOf(given.descriptor);
  const isQuick = !bindings.implementation(usual).includes("ref");
  // Of bfloat16 some windows have reference code only.
  const src = isQuick ? given : build.reorder(given, build.descriptor(dims, "row-major", "float32"), forward);
  const spec = { data: src.descriptor, ...parameters };
  const forwardOperation = isQuick ? usual : lrnOf(spec.data);
  const y = build.tensor(spec.data);
  const workspace = build.workspace(forwardOperation);
  build.execute(forward, forwardOperation, [[Argument.src, src], [Argument.dst, y], ...workspace]);
  const whole = groups === 1 ? spec.data : build.descriptor(x.dims, "row-major", src.type);

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
    y: { tensor: inTypeOf(x, { ...y, descriptor: whole }, build, forward), dims: x.dims, rectified: false },
    backward(dy) {
      if (!context.needsInputGradient) return undefined;
      const info = { layer: name, kind, direction: "backward-data" } as const;
      const operation = bindings.lrnBackward(spec, build.attributes, forwardOperation);
      const implementation = bindings.implementation(operation);
      const isUsable = !implementation.includes("ref") && !computesWrongly(build, implementation, n, src, dims);
      return isUsable ? libraryBackward(operation, dy, info) : ownBackward(layer, x, dy, build, info);
    },
  };
}

/** A tensor of float32 becomes one of the layout and type that the layer's input has. */
function inTypeOf(x: Activation, y: Tensor, build: Build, info: OperationInfo): Tensor {
  return y.type === x.tensor.type ? y : build.reorder(y, x.tensor.descriptor, info);
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

/** In TypeScript, channels innermost. */
function ownBackward(layer: LocalResponseNorm, x: Activation, dy: Tensor, build: Build, info: OperationInfo): Tensor {
  const layout = build.descriptor(x.dims, "channels-last", "float32");
  const [source, upstream] = [x.tensor, dy].map((tensor) => build.reorder(tensor, layout, info));
  const dx = build.tensor(layout);
  const [rows, channels, ...rest] = x.dims;
  build.rows(info, [source, upstream, dx], {
    kernel: "normGradient",
    rows,
    constants: (place) => ({
      ...{ layer, channels, length: rest.reduce((product, n) => product * n, channels) },
      ...{ x: place(source), dy: place(upstream), dx: place(dx) },
    }),
  });
  return dx;
}

/** Row-major maps whose groups count as samples of their own: windows across maps then end at the groups' borders. */
function groupsAsSamples(x: Activation, groups: number, build: Build, info: OperationInfo): Tensor {
  const [batch, channels, ...rest] = x.dims;
  const tensor = rowMajor(build, x, info);
  return { ...tensor, descriptor: build.descriptor([batch * groups, channels / groups, ...rest], "row-major") };
}
