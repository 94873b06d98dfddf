import type { EngineDescription } from "../engine/engine.js";
import type { PreparingEvent } from "../store/preparing/options.js";
import type { LayerStatistics } from "./layer-statistics.js";
import type { EpochRow, StepRow } from "./metrics.js";
import type { RunConfig } from "./settings.js";

/** What a training run tells while it goes on: plain data. Epochs, batches and steps count from 1. */
export type TrainEvent =
  | PreparingEvent
  | FeaturesComputed
  /** Pictures go to the device's memory, to stay. */
  | { readonly kind: "holding"; readonly done: number; readonly total: number }
  | Started
  | StepDone
  | { readonly kind: "validating"; readonly epoch: number; readonly done: number; readonly total: number }
  | { readonly kind: "row"; readonly row: StepRow }
  | LayersMeasured
  | EpochDone
  | {
      readonly kind: "checkpoint";
      readonly step: number;
      readonly bytes: number;
      /** Until the file was safe, and how long training stood still for it. */
      readonly seconds: number;
      readonly stalledSeconds: number;
    }
  | { readonly kind: "warning"; readonly message: string }
  | ({ readonly kind: "ended" } & TrainSummary);

/** What frozen layers make of the pictures is computed, once. */
export interface FeaturesComputed {
  readonly kind: "features";
  readonly layer: string;
  readonly done: number;
  readonly total: number;
}

export interface Started {
  readonly kind: "started";
  readonly run: string;
  readonly config: RunConfig;
  readonly engine: EngineDescription;
  /** Where "auto" had a choice: what it chose and why. */
  readonly choice: string | undefined;
  /** Steps done before, by earlier sessions. */
  readonly resumedAt: { readonly epoch: number; readonly step: number } | undefined;
  readonly parameters: number;
  /** Held by the network while it trains. */
  readonly memoryBytes: number;
  /** An epoch's. */
  readonly batches: number;
  /** The file that holds what frozen layers make of the pictures, where it is read in place of them. */
  readonly features: string | undefined;
  /** Pictures that the device's own memory has room for, and holds if these are all; 0 where it has none or isn't to. */
  readonly room: number;
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
  /** Lately. */
  readonly imagesPerSecond: number;
  readonly waiting: number;
  /** To the end of the last epoch, at this rate. */
  readonly secondsLeft: number;
}

export interface LayersMeasured {
  readonly kind: "layers";
  readonly step: number;
  readonly layers: readonly LayerStatistics[];
  /** The first layer's weights: (filters, channels, height, width). */
  readonly filters: { readonly shape: readonly number[]; readonly values: Float32Array };
}

export interface EpochDone {
  readonly kind: "epoch";
  readonly epochs: number;
  readonly row: EpochRow;
  /** The lowest error so far. */
  readonly best: boolean;
  readonly secondsLeft: number;
}

export interface TrainSummary {
  readonly run: string;
  readonly epochs: number;
  readonly steps: number;
  /** Shares of wrong pictures; on the validation pictures if there are any. */
  readonly best: { readonly epoch: number; readonly error: number } | undefined;
  /** Why it ended. */
  readonly reason: string;
  readonly seconds: number;
}

export type EventListener = (event: TrainEvent) => void;
