import type { Descriptor } from "./bindings.js";
import type { Build, Tensor } from "./build.js";

/**
 * Ways to carry out the three directions: each adds its operations, copies between layouts included. Tensors come in any
 * layout.
 */

/** What a forward operation made. */
export interface Made {
  readonly y: Tensor;
  /** x as it was read. */
  readonly src: Tensor;
  /** Where it is worth keeping for the weights' gradient: x as Winograd's algorithm reads it. */
  readonly folded?: Tensor;
}

/** `dst`: the layout of y wherever it does not matter. */
export type Forward = (into: Build, x: Tensor, weights: Tensor, bias: Tensor, dst: Descriptor) => Made;

/** dw and db are overwritten. */
export type BackwardWeights = (into: Build, x: Omit<Made, "y">, dy: Tensor, dw: Tensor, db: Tensor) => void;

/** `diffSrc`: the layout of dx wherever it does not matter. Gives dx. */
export type BackwardData = (into: Build, dy: Tensor, weights: Tensor, diffSrc: Descriptor) => Tensor;
