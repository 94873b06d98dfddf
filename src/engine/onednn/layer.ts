import type { Layer } from "../../network/network.js";
import type { Batch } from "../../network/picture.js";
import type { Shape } from "../../network/shapes.js";

import type { Algorithms } from "./algorithms.js";
import type { Build, OperationInfo, Tensor } from "./build.js";
import type { Parameters } from "./parameters.js";

/** What flows between layers. */
export interface Activation {
  readonly tensor: Tensor;
  /** (batch, channels, height, width), or (batch, length) after a fully connected layer. */
  readonly dims: readonly number[];
  /** A ReLU was already applied, by the operation that made it. */
  readonly rectified: boolean;
}

/** What the step under way works on; set before the operations run. */
export interface Current {
  batch: Batch;
  /** Keys dropout. */
  seed: number;
  /** Drop and take gradients, or predict. */
  learning: boolean;
}

/** Where a layer stands. */
export interface Context {
  readonly build: Build;
  readonly parameters: Parameters;
  /** Chooses among the ways to carry out an operation. */
  readonly algorithms: Algorithms;
  readonly batchSize: number;
  /** Keeps what the backward operations need. */
  readonly training: boolean;
  /** The layer's index in its network. */
  readonly index: number;
  readonly output: Shape;
  readonly next: Layer | undefined;
  /** Something before this layer learns, so its input's gradient is wanted. */
  readonly needsInputGradient: boolean;
  readonly current: Current;
}

export interface Stage {
  readonly y: Activation;
  /** Adds the backward operations. Takes the gradient of y, which it may overwrite; gives the gradient of x if needed. */
  backward(dy: Tensor): Tensor | undefined;
}

/** Adds one kind of layer's forward operations. */
export type LayerKind<L extends Layer> = (layer: L, x: Activation, context: Context) => Stage;

/** (batch, channels, height, width) */
export function mapDims(batchSize: number, { channels, height, width }: Shape): readonly number[] {
  return [batchSize, channels, height, width];
}

/** Adds a copy of `x` in row-major order, unless that is what it is. */
export function rowMajor(build: Build, { tensor, dims }: Activation, info: OperationInfo): Tensor {
  return build.reorder(tensor, build.descriptor(dims, "row-major"), info);
}
