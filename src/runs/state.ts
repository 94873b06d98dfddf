import { z } from "zod";
import { initialPolicyState } from "../recipes/policy.js";
import { layerStatistics } from "./layer-statistics.js";

/** How long the loss has been that of guessing; plain JSON, so that it travels with a checkpoint. */
export interface GuessWatch {
  /** Moving average; null before the first step. */
  readonly loss: number | null;
  readonly steps: number;
  /** Whether it was said that the network doesn't learn. */
  readonly told: boolean;
}

export const initialGuessWatch: GuessWatch = { loss: null, steps: 0, told: false };

/** Sums over some steps; means are taken when they are shown. */
const tally = z.object({ steps: z.number(), samples: z.number(), lossSum: z.number(), correct: z.number() }).readonly();
export type Tally = z.infer<typeof tally>;

export const emptyTally: Tally = { steps: 0, samples: 0, lossSum: 0, correct: 0 };

export function addToTally(sum: Tally, samples: number, loss: number, correct: number): Tally {
  return {
    steps: sum.steps + 1,
    samples: sum.samples + samples,
    lossSum: sum.lossSum + loss * samples,
    correct: sum.correct + correct,
  };
}

export function meansOf({ samples, lossSum, correct }: Tally): { readonly loss: number; readonly top1: number } {
  return { loss: samples === 0 ? 0 : lossSum / samples, top1: samples === 0 ? 0 : correct / samples };
}

/** Everything the next step depends on besides parameters and momentum; it travels with a checkpoint as JSON. */
export const trainingState = z
  .object({
    /** Epochs finished, and batches of the next one that were trained on. */
    epoch: z.number(),
    batch: z.number(),
    /** Steps in all. */
    step: z.number(),
    /** Epochs planned; a time budget changes it on the way. */
    epochs: z.number(),
    /** What every learning rate is multiplied by: a person may have lowered it. */
    rateFactor: z.number().default(1),
    policy: z.object({ drops: z.number(), best: z.number().nullable(), stale: z.number() }).readonly(),
    /** Since the epoch began, and since the latest row of the metrics. */
    epochTally: tally,
    rowTally: tally,
    /** The epoch with the lowest error so far, and the step its checkpoint is named after. */
    best: z.object({ epoch: z.number(), step: z.number(), error: z.number() }).readonly().nullable(),
    /** Epochs since then. */
    sinceBest: z.number(),
    guessing: z
      .object({ loss: z.number().nullable(), steps: z.number(), told: z.boolean().default(false) })
      .readonly()
      .default(initialGuessWatch),
    /** As they were after the last step of an epoch. */
    layers: z.array(layerStatistics).readonly().default([]),
    /** Spent on training and validation, over all sessions. */
    seconds: z.number(),
    /** Length of the metrics file when this was true. */
    metricsBytes: z.number(),
    /** Why the run ended; null while it goes on. */
    ended: z.string().nullable(),
  })
  .readonly();
export type TrainingState = z.infer<typeof trainingState>;

export function initialState(epochs: number): TrainingState {
  return {
    epoch: 0,
    batch: 0,
    step: 0,
    epochs,
    rateFactor: 1,
    policy: initialPolicyState,
    epochTally: emptyTally,
    rowTally: emptyTally,
    best: null,
    sinceBest: 0,
    guessing: initialGuessWatch,
    layers: [],
    seconds: 0,
    metricsBytes: 0,
    ended: null,
  };
}
