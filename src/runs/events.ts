import type { EngineDescription } from "../engine/engine.js";
import type { Hint } from "../errors.js";
import type { PreparingEvent } from "../store/preparing/options.js";
import type { ProgressEvent, WarningEvent } from "../task.js";
import type { Control } from "./control.js";
import type { LayerStatistics } from "./layer-statistics.js";
import type { EpochRow, StepRow } from "./metrics.js";
import type { RunConfig } from "./settings.js";

/**
 * What a training run tells while it goes on: data that JSON can carry. Epochs, batches and steps count from 1. Progress
 * is told of validating, of holding pictures in a device's memory, and of what frozen layers make of the pictures.
 */
export type TrainEvent =
  | PreparingEvent
  | ProgressEvent
  | WarningEvent
  | Starting
  | Started
  | StepDone
  | { readonly kind: "row"; readonly row: StepRow }
  | LayersMeasured
  | EpochDone
  | CheckpointWritten
  | ControlObeyed
  | ({ readonly kind: "ended" } & TrainSummary);

/** What progress is told `of` while the validation pictures are looked at; once an epoch. */
export const VALIDATING = "validating";

/** Somebody asked for it while the run trained (`askRun`). */
export interface ControlObeyed {
  readonly kind: "control";
  readonly action: Control;
  /** What every learning rate is multiplied by from now on. */
  readonly rateFactor: number;
}

export interface CheckpointWritten {
  readonly kind: "checkpoint";
  readonly step: number;
  readonly bytes: number;
  /** Until the file was safe, and how long training stood still for it. */
  readonly seconds: number;
  readonly stalledSeconds: number;
}

/** All is settled; the network is compiled next, which takes a while. */
export interface Starting extends Beginning {
  readonly kind: "starting";
}

/** The network is compiled, and the first step comes next. */
export interface Started extends Beginning {
  readonly kind: "started";
  /** Held by the network while it trains. */
  readonly memoryBytes: number;
  /** The file that holds what frozen layers make of the pictures, where it is read in place of them. */
  readonly features?: string;
  /** Pictures that fit into the device's own memory, which holds them if these are all; 0 where it has none or isn't to. */
  readonly capacity: number;
}

interface Beginning {
  readonly run: string;
  readonly config: RunConfig;
  /** Names in the order of the outputs. */
  readonly classes: readonly string[];
  readonly engine: EngineDescription;
  /** Where "auto" had a choice: what it chose and why. */
  readonly choice?: string;
  /** How to have another recipe, where this one was not asked for. */
  readonly hints: readonly Hint[];
  /** Steps done before, by earlier sessions. */
  readonly resumedAt?: { readonly epoch: number; readonly step: number };
  readonly parameters: number;
  /** Batches per epoch. */
  readonly batches: number;
}

export interface StepDone {
  readonly kind: "step";
  readonly epoch: number;
  readonly epochs: number;
  readonly batch: number;
  readonly batches: number;
  readonly step: number;
  readonly learningRate: number;
  /** Over the epoch so far. */
  readonly loss: number;
  readonly top1: number;
  /** Over the last 10 s. */
  readonly imagesPerSecond: number;
  readonly waiting: number;
  /** To the end of the last epoch, at this rate. */
  readonly secondsLeft: number;
}

export interface LayersMeasured {
  readonly kind: "layers";
  readonly step: number;
  readonly layers: readonly LayerStatistics[];
  /** The first layer's weights, row-major: (filters, channels, height, width), or (outputs, inputs). */
  readonly filters: { readonly shape: readonly number[]; readonly values: readonly number[] };
}

export interface EpochDone {
  readonly kind: "epoch";
  readonly epochs: number;
  readonly row: EpochRow;
  /** Whether its error is the lowest so far. */
  readonly best: boolean;
  readonly secondsLeft: number;
}

export interface TrainSummary {
  readonly run: string;
  readonly epochs: number;
  readonly steps: number;
  /** Shares of wrong pictures; on the validation pictures if there are any. */
  readonly best?: { readonly epoch: number; readonly error: number };
  /** Why it ended. */
  readonly reason: string;
  readonly seconds: number;
}
