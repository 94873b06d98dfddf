import type { Convolution } from "../../../network/network.js";
import type { OperationInfo } from "../../program/operations.js";
import type { NumberType } from "../arithmetic.js";
import type { Build, Tensor } from "../build.js";
import type { Descriptor } from "../native/bindings.js";

/** A convolution to be carried out: what is the same for all algorithms. */
export interface ConvolutionProblem {
  readonly build: Build;
  readonly layer: Convolution;
  /** Of what is multiplied. */
  readonly type: NumberType;
  /** Of the input and the output: (batch, channels, height, width). */
  readonly dims: readonly number[];
  readonly output: readonly number[];
  /** (filters, channels, size, size), or (groups, filters, channels, size, size) with those of one group. */
  readonly weightDims: readonly number[];
  /** The ReLU that follows is part of the forward operation. */
  readonly rectified: boolean;
  readonly training: boolean;
  readonly flops: number;
}

/**
 * An algorithm, in the directions that it has: each gives what adds the direction's operations to a program, copies
 * between layouts included, or undefined where the library has none. Tensors come in any layout.
 */
export interface ConvolutionAlgorithm {
  /** As it is in checkpoints and saved choices. */
  readonly name: string;
  forward?(): Forward | undefined;
  /** The gradients of weights and bias. */
  weights?(): BackwardWeights | undefined;
  /** The gradient of the input. */
  data?(): BackwardData | undefined;
}

/** What a forward operation leaves for the weights' gradient. */
export interface ReadInput {
  /** x as it was read. */
  readonly src: Tensor;
  /** Where it is worth keeping: x in the form that Winograd's algorithm reads. */
  readonly spread?: Tensor;
}

/** `dst`: the layout of y wherever it does not matter. */
export type Forward = (
  into: Build,
  x: Tensor,
  weights: Tensor,
  bias: Tensor,
  dst: Descriptor,
) => ReadInput & { readonly y: Tensor };

/** dw and db are overwritten. */
export type BackwardWeights = (into: Build, x: ReadInput, dy: Tensor, dw: Tensor, db: Tensor) => void;

/** `diffSrc`: the layout of dx wherever it does not matter. Gives dx. */
export type BackwardData = (into: Build, dy: Tensor, weights: Tensor, diffSrc: Descriptor) => Tensor;

/** An operation of the layer, for tables of times. */
export function infoOf(
  { layer, flops }: ConvolutionProblem,
  direction: OperationInfo["direction"],
): OperationInfo & { readonly flops: number } {
  return { layer: layer.name, kind: layer.kind, direction, flops };
}
