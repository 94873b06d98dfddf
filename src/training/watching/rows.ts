import { addToTally, emptyTally, meansOf, type Tally } from "../../runs/state.js";
import type { Timing } from "../stopwatch.js";
import type { FinishedEpoch, FinishedStep, Training, Watcher } from "./watcher.js";

/** Writes the rows of the metrics: one each so many steps, and one at each epoch's end. */
export class Rows implements Watcher {
  readonly #training: Training;
  readonly #timing: Timing;
  #tally: Tally;

  constructor(training: Training, timing: Timing) {
    this.#training = training;
    this.#timing = timing;
    this.#tally = training.state.rowTally;
  }

  get state() {
    return { rowTally: this.#tally };
  }

  afterStep({ epoch, step, learningRate, samples, result }: FinishedStep): void {
    const { config, metrics, task } = this.#training;
    this.#tally = addToTally(this.#tally, samples, result.loss, result.correct);
    if (this.#tally.steps < config.metricsEvery) return;
    const means = meansOf(this.#tally);
    const row = { kind: "step", epoch, step, learningRate, ...means, ...this.#timing.endRow() } as const;
    metrics.append(row);
    task.report({ kind: "row", row });
    this.#tally = emptyTally;
  }

  afterEpoch({ row }: FinishedEpoch): void {
    this.#training.metrics.append(row);
  }
}
