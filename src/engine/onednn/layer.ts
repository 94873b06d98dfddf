import type { Layer } from "../../network/network.js";
import type { Batch } from "../../network/picture.js";
import type { Shape } from "../../network/shapes.js";
import type { OperationInfo } from "../program/operations.js";
import type { Position, Stage as WalkStage } from "../program/walk.js";
import type { Algorithms } from "./algorithms.js";
import type { Build, Tensor } from "./build.js";
import { copy, type Parameters } from "./parameters.js";

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
  /** Drop and take gradients of the loss, take gradients of scores without dropping, or predict. */
  purpose: "learning" | "scoring" | "predicting";
  /** What sums of losses and gradients are divided by: samples of the whole batch. */
  divisor: number;
  /** The place of the batch's first sample in the whole batch. */
  firstSample: number;
}

/** Where a layer stands, and what it is built with. */
export interface Context extends Position {
  readonly build: Build;
  readonly parameters: Parameters;
  /** Chooses among the algorithms for an operation. */
  readonly algorithms: Algorithms;
  readonly batchSize: number;
  /** Keeps what the backward operations need. */
  readonly training: boolean;
  readonly current: Current;
}

export type Stage = WalkStage<Activation, Tensor>;

/** Adds one kind of layer's forward operations. */
export type LayerKind<L extends Layer> = (layer: L, x: Activation, context: Context) => Stage;

/** (batch, channels, height, width) */
export function mapDims(batchSize: number, { channels, height, width }: Shape): readonly number[] {
  return [batchSize, channels, height, width];
}

/** Adds a copy of `x` in row-major order, and of this number type, unless that is what it is. */
export function rowMajor(build: Build, { tensor, dims }: Activation, info: OperationInfo, type = build.type): Tensor {
  return build.reorder(tensor, build.descriptor(dims, "row-major", type), info);
}

/** A kept activation's values, row-major. */
export function readRows(build: Build, { tensor, dims }: Activation): Float32Array {
  const values = new Float32Array(dims.reduce((product, n) => product * n, 1));
  copy(build, tensor, dims, values, "read");
  return values;
}
