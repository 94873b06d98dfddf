import type { Program, StepResult } from "../../engine/engine.js";
import type { Model } from "../../model/model.js";
import type { Batch } from "../../network/picture.js";
import type { Checkpoints } from "../../runs/checkpoint/keep.js";
import type { EpochRow, MetricsFile } from "../../runs/metrics.js";
import type { TrainingState } from "../../runs/state.js";
import type { ReadBatches } from "../../store/reading/batches.js";
import type { SettledRun } from "../settle.js";

/** A run under way: settled, and with everything open that training it needs. */
export interface Training extends SettledRun {
  /** Holds the parameters and momentum that go with `state`. */
  readonly program: Program;
  /** Gives what the program takes. */
  readonly read: ReadBatches;
  /** The layer that the program begins after, if it does. */
  readonly after?: string;
  /** Batches per epoch. */
  readonly batches: number;
  /** Its parameters are those that training starts with; the program's change. */
  readonly model: Model;
  /** Where training starts. */
  readonly state: TrainingState;
  readonly metrics: MetricsFile;
  readonly checkpoints: Checkpoints;
}

/**
 * Looks on while a run trains. Watchers are told of everything in one order, and each is awaited before the next. What
 * they remember from step to step is plain data: it travels with checkpoints.
 */
export interface Watcher {
  /** Its part of the run's state. */
  readonly state?: Partial<TrainingState>;
  /**
   * Asked while a step is under way: whether the program is to be looked at once that step is done, before another is
   * asked for.
   */
  looksAfter?(step: StepUnderWay): boolean;
  afterStep?(step: FinishedStep): void | Promise<void>;
  /** After the validation. What it remembers of the epoch begins anew. */
  afterEpoch?(epoch: FinishedEpoch): void | Promise<void>;
}

export interface StepUnderWay {
  /** Of its batch in the epoch, the first being 0. */
  readonly index: number;
  readonly isLastOfEpoch: boolean;
  readonly learningRate: number;
}

export interface FinishedStep extends StepUnderWay {
  /** Counted from 1. */
  readonly epoch: number;
  readonly step: number;
  readonly samples: number;
  readonly result: StepResult;
  /** What it was trained on: good until every watcher was told. */
  readonly batch: Batch;
  /** Whether the program may be looked at: no other step is under way. */
  readonly mayLook: boolean;
}

export interface FinishedEpoch {
  readonly row: EpochRow;
  /** Epochs that are finished. */
  readonly epochs: number;
  /** Whether its error is the lowest so far, and whether the run ends with it. */
  readonly isBest: boolean;
  readonly isEnd: boolean;
  /** Whether all validation pictures got the same probabilities. */
  readonly isFlat: boolean;
}
