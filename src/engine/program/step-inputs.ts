import type { View } from "../../network/picture.js";
import type { UpdateOptions } from "../engine.js";

/** What a step is told on a device with memory of its own, besides its pictures. */
export interface StepInputs extends UpdateOptions {
  readonly views: readonly View[];
  /** By sample, the index of its picture among those on the device. */
  readonly places: readonly number[];
  readonly labels: Int32Array;
  /** Of the samples' losses. Default: 1 for all. */
  readonly weights?: Float32Array;
  readonly learning: boolean;
  /** Whether gradients are of the labels' scores, not of the loss. */
  readonly scoring?: boolean;
  readonly seed: number;
  /** What sums of losses and gradients are divided by: samples of the whole batch. */
  readonly divisor: number;
  /** The place of the batch's first sample in the whole batch. Default 0. */
  readonly firstSample?: number;
}
