import type { AveragePool, MaxPool } from "../../../network/network.js";
import type { OperationInfo } from "../../program/operations.js";
import type { Arguments, Build, Tensor } from "../build.js";
import { type Activation, type Context, mapDims, type Stage } from "../layer.js";
import { Argument, type Descriptor, type PoolingSpec, type PrimitiveDescriptor, Query } from "../native/bindings.js";

/**
 * Keeps its input's layout. The workspace, which max-pool alone has, holds which value of each window was the largest.
 *
 * Where windows overlap, a value gets the sum of several gradients: of max-pool's, where it is the largest. The library added them
 * in bfloat16 before 2025, so that 256 + 1 + 1 + 1 gave 256: there the gradient is taken in float32.
 */
export function pool(layer: MaxPool | AveragePool, x: Activation, context: Context): Stage {
  const { build, batchSize, training } = context;
  const { bindings } = build.library;
  const { name, kind, size, stride } = layer;
  const takes = kind === "max-pool" ? "max" : "average";
  const dims = mapDims(batchSize, context.output);
  const forward = { layer: name, kind, direction: "forward" } as const;
  const specOf = (src: Descriptor) => ({ takes, src, dst: build.descriptor(dims, "any"), size, stride }) as const;
  const operationOf = (src: Descriptor) => bindings.poolForward(specOf(src), training, build.attributes);
  const usual = operationOf(x.tensor.descriptor);
  const isQuick = !bindings.implementation(usual).startsWith("ref");
  // Of row-major maps in bfloat16 some sizes have reference code only.
  const source = isQuick ? x.tensor : build.reorder(x.tensor, build.descriptor(x.dims, "channels-last"), forward);
  const spec = specOf(source.descriptor);
  const operation = isQuick ? usual : operationOf(spec.src);
  const y = build.tensor(build.query(operation, Query.dst));
  const workspace = build.workspace(operation);
  build.execute(forward, operation, [[Argument.src, source], [Argument.dst, y], ...workspace]);
  return {
    y: { tensor: y, dims, rectified: x.rectified },
    backward(dy) {
      if (!context.needsInputGradient) return undefined;
      const info = { layer: name, kind, direction: "backward-data" } as const;
      const forwardPool: Pool = { takes, size, stride, forward: operation, workspace };
      if (build.arithmetic.poolsExactly || size <= stride)
        return gradient(build, forwardPool, dy, { src: spec.src, dst: y.descriptor }, info);
      const src = inFloat32(build, spec.src, x.dims);
      const dst = inFloat32(build, y.descriptor, dims);
      const inFloats = bindings.poolForward({ ...spec, src, dst }, true, build.attributes);
      const dx = gradient(build, { ...forwardPool, forward: inFloats }, dy, { src, dst }, info);
      return build.reorder(dx, spec.src, info);
    },
  };
}

interface Pool {
  readonly takes: PoolingSpec["takes"];
  readonly size: number;
  readonly stride: number;
  /** The library takes it as a hint. */
  readonly forward: PrimitiveDescriptor;
  /** Written by the forward operation; the same whatever type the values have. */
  readonly workspace: Arguments;
}

/** Adds the gradient of the input, in the layout and number type of `src`. */
function gradient(
  build: Build,
  { takes, size, stride, forward, workspace }: Pool,
  dy: Tensor,
  { src, dst }: { readonly src: Descriptor; readonly dst: Descriptor },
  info: OperationInfo,
): Tensor {
  const operation = build.library.bindings.poolBackward({ takes, src, dst, size, stride }, build.attributes, forward);
  const dx = build.tensor(src);
  build.execute(info, operation, [
    [Argument.diffDst, build.reorder(dy, build.query(operation, Query.diffDst), info)],
    [Argument.diffSrc, dx],
    ...workspace,
  ]);
  return dx;
}

/** float32 maps in the layout that these bfloat16 maps have. */
function inFloat32(build: Build, descriptor: Descriptor, dims: readonly number[]): Descriptor {
  const { bindings } = build.library;
  const layout = (["channels-by-16", "channels-last", "row-major"] as const).find((candidate) =>
    bindings.equal(descriptor, build.descriptor(dims, candidate)),
  );
  if (layout === undefined) throw new Error("the library keeps maps in a layout that this engine does not know");
  return build.descriptor(dims, layout, "float32");
}
