import { AlexnetError } from "../errors.js";
import { evaluateSplit } from "../evaluation/evaluate-split.js";
import { VALIDATING } from "../runs/events.js";
import { type ClassScores, Scorer, type Scores } from "../scoring/scores.js";
import type { ProgressEvent } from "../task.js";
import { AnswerSpread } from "./watching/stall.js";
import type { Training } from "./watching/watcher.js";

export interface Validation {
  /** Null where there are no validation pictures. */
  readonly scores: Scores | null;
  /** In the order of the outputs; none where there are no validation pictures. */
  readonly perClass: readonly ClassScores[];
  /** Whether all pictures got the same probabilities. */
  readonly isFlat: boolean;
  readonly seconds: number;
}

/** How well the network does on the validation pictures: centre crops, no dropout. "stopped" once the signal is given. */
export async function validate(training: Training): Promise<Validation | "stopped"> {
  const { program, store, config, task, read } = training;
  if (store.count("val") === 0) return { scores: null, perClass: [], isFlat: false, seconds: 0 };
  const began = performance.now();
  const scorer = new Scorer(store.classes);
  const spread = new AnswerSpread();
  const count = (probabilities: Float64Array, label: number): void => {
    scorer.add(probabilities, label);
    spread.add(probabilities);
  };
  try {
    const options = {
      split: "val",
      views: 1,
      cropSize: config.network.input.size,
      workers: config.workers,
      read,
    } as const;
    const report = (event: ProgressEvent): void => task.report({ ...event, of: VALIDATING });
    await evaluateSplit(program, store, count, options, { signal: task.signal, report });
  } catch (error) {
    if (error instanceof AlexnetError && error.code === "interrupted") return "stopped";
    throw error;
  }
  const seconds = (performance.now() - began) / 1000;
  return { scores: scorer.scores(), perClass: scorer.byClass(), isFlat: spread.isFlat, seconds };
}
