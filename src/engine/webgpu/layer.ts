import type { Layer } from "../../network/network.js";
import type { Shape } from "../../network/shapes.js";
import type { Position, Stage as WalkStage } from "../program/walk.js";
import type { Build } from "./build.js";
import type { Tensor } from "./dispatch.js";
import type { Parameters } from "./parameters.js";
import type { StepInputBlock } from "./step-inputs.js";

/** What flows between layers: (batch, channels, height, width), row-major as at the border. */
export interface Activation {
  readonly tensor: Tensor;
  readonly shape: Shape;
}

/** Where a layer stands, and what it is built with. */
export interface Context extends Position {
  readonly build: Build;
  readonly parameters: Parameters;
  readonly batchSize: number;
  /** Keeps what the backward operations need. */
  readonly training: boolean;
  readonly inputs: StepInputBlock;
}

export type Stage = WalkStage<Activation, Tensor>;

/** Adds one kind of layer's forward operations. */
export type LayerKind<L extends Layer> = (layer: L, x: Activation, context: Context) => Stage;
