import type { Layer } from "../../network/network.js";
import { type Shape, volume } from "../../network/shapes.js";
import type { Position, Stage as WalkStage } from "../program/walk.js";
import type { Build, Memory, Tensor } from "./build.js";
import { channelsLast, inSquares, type Layout, type Squares } from "./layers/layout.js";
import type { Parameters } from "./parameters.js";

/** What flows between layers: (batch, height, width, channels); vectors are maps of one pixel. */
export interface Activation {
  readonly tensor: Tensor;
  readonly shape: Shape;
  /** Only of the input: its pixels are stored in squares. */
  readonly squares?: Squares;
  /** A ReLU was already applied, by the operation that made it. */
  readonly rectified: boolean;
}

/** Where a layer stands, and what it is built with. */
export interface Context extends Position {
  readonly build: Build;
  readonly parameters: Parameters;
  readonly batchSize: number;
  /** Keeps what the backward operations need. */
  readonly training: boolean;
  /** The device's struct Controls of the step under way. */
  readonly controls: Memory;
}

export type Stage = WalkStage<Activation, Tensor>;

/** Adds one kind of layer's forward operations. */
export type LayerKind<L extends Layer> = (layer: L, x: Activation, context: Context) => Stage;

export function layoutOf({ shape, squares }: Pick<Activation, "shape" | "squares">, batch: number): Layout {
  const { channels, height, width } = shape;
  return squares === undefined
    ? channelsLast(batch, channels, height, width)
    : inSquares(batch, channels, height, squares);
}

/** Values of a batch on the device. */
export function lengthOf({ shape, squares }: Pick<Activation, "shape" | "squares">, batch: number): number {
  if (squares === undefined) return batch * volume(shape);
  return batch * shape.channels * (squares.count * squares.block) ** 2;
}
