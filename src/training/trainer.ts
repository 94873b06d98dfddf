import { batches, countBatches, type LoadedBatch } from "../dataset/batches.js";
import type { Store } from "../dataset/store.js";
import type { EngineDescription, Program, StepResult } from "../engine/engine.js";
import { AlexnetError } from "../errors.js";
import { evaluateSplit } from "../evaluation/evaluate-split.js";
import { errors, Scorer, type Scores } from "../evaluation/scores.js";
import { bits, Purpose } from "../random.js";
import { dueAfterEpoch, dueAfterStep } from "./cadence.js";
import type { Model } from "./checkpoint.js";
import type { Checkpoints } from "./checkpoints.js";
import type { RunConfig } from "./config.js";
import { epochsInTime, reasonToEnd } from "./ending.js";
import type { EventListener, TrainSummary } from "./events.js";
import type { EpochRow, MetricsFile, StepRow } from "./metrics.js";
import { afterEpoch, learningRateOf } from "./policy.js";
import { addToTally, emptyTally, type Tally, type TrainingState } from "./state.js";
import { Stopwatch } from "./stopwatch.js";

export interface TrainerParts {
  readonly run: string;
  readonly config: RunConfig;
  readonly store: Store;
  /** Holds the parameters and momentum that go with `start`. */
  readonly program: Program;
  readonly engine: EngineDescription;
  /** All but the parameters, which the program holds. */
  readonly model: Omit<Model, "parameters">;
  readonly start: TrainingState;
  readonly metrics: MetricsFile;
  readonly checkpoints: Checkpoints;
  readonly emit: EventListener;
  /** Ends training after the step under way, with everything saved. */
  readonly signal: AbortSignal | undefined;
}

/** The loop. What it does next depends on nothing but `TrainingState`, the parameters and the momentum. */
export class Trainer {
  readonly #parts: TrainerParts;
  readonly batchesPerEpoch: number;
  readonly #sessionBegan = performance.now();
  #state: TrainingState;
  #lately = new Stopwatch();
  #latelyRead = { imagesPerSecond: 0, waiting: 0 };
  #row = new Stopwatch();
  #epoch = new Stopwatch();
  #validationSeconds = 0;
  #sinceCheckpoint = { steps: 0, began: performance.now() };
  #saving: Promise<void> = Promise.resolve();
  #savingFailed: Error | undefined;

  constructor(parts: TrainerParts) {
    this.#parts = parts;
    this.#state = parts.start;
    const { batchSize } = parts.config.recipe;
    this.batchesPerEpoch = countBatches(parts.store, { split: "train", views: "augmented", batchSize });
  }

  /**
   * Trains until the epochs are done or another reason to end comes first.
   * @throws AlexnetError "interrupted" when the signal stopped it, after a checkpoint.
   */
  async run(): Promise<TrainSummary> {
    try {
      while (this.#state.ended === null) {
        if (this.#state.batch < this.batchesPerEpoch) await this.#trainEpoch();
        if (!this.#stopping) await this.#endEpoch();
        if (this.#stopping) await this.#stop();
      }
    } finally {
      await this.#saving;
    }
    if (this.#savingFailed !== undefined) throw this.#savingFailed;
    return this.#summary(this.#state.ended);
  }

  get #stopping(): boolean {
    return this.#parts.signal?.aborted === true;
  }

  get #seconds(): number {
    return this.#parts.start.seconds + (performance.now() - this.#sessionBegan) / 1000;
  }

  get #outOfTime(): boolean {
    const { timeBudget } = this.#parts.config;
    return timeBudget !== null && this.#seconds >= timeBudget;
  }

  async #trainEpoch(): Promise<void> {
    const { config, store } = this.#parts;
    const source = batches(store, {
      split: "train",
      views: "augmented",
      batchSize: config.recipe.batchSize,
      cropSize: config.network.input.size,
      seed: config.seed,
      epoch: this.#state.epoch,
      shuffle: true,
      firstBatch: this.#state.batch,
      colourDeviation: config.recipe.colourDeviation,
      ...(config.workers !== null && { workers: config.workers }),
    });
    try {
      let next = ahead(source);
      while (this.#state.batch < this.batchesPerEpoch && !this.#stopping && !this.#outOfTime) {
        const { value: batch } = await this.#waiting(next);
        if (batch === undefined)
          throw new AlexnetError("data", `${store.path}: gave fewer batches than it has pictures`);
        next = ahead(source); // decoded while this batch is trained on
        await this.#step(batch);
        if (this.#savingFailed !== undefined) throw this.#savingFailed;
        if (this.#checkpointDue) await this.#checkpoint();
      }
    } finally {
      await source.return(undefined);
    }
  }

  #waiting<T>(promise: Promise<T>): Promise<T> {
    return this.#epoch.wait(this.#row.wait(this.#lately.wait(promise)));
  }

  async #step(batch: LoadedBatch): Promise<void> {
    const { program, config, emit } = this.#parts;
    const { momentum, weightDecay } = config.recipe;
    const { epoch, batch: index } = this.#state;
    const learningRate = this.#learningRate;
    const { pictures, views, labels } = batch;
    const samples = views.length;
    const seed = bits(config.seed, Purpose.dropout, epoch, index);
    const result = await program.step({ pictures, views, labels }, { learningRate, momentum, weightDecay, seed });
    batch.release();
    if (!Number.isFinite(result.loss))
      throw new AlexnetError(
        "run",
        `${this.#parts.run}: the loss is not finite at step ${this.#state.step + 1}; try a lower --learning-rate`,
      );
    this.#count(result, samples);
    if (this.#state.rowTally.steps >= config.metricsEvery) this.#endRow(learningRate);
    emit({
      kind: "step",
      epoch: epoch + 1,
      epochs: this.#state.epochs,
      batch: this.#state.batch,
      batches: this.batchesPerEpoch,
      step: this.#state.step,
      learningRate,
      ...means(this.#state.epochTally),
      ...this.#rateLately(),
      secondsLeft: this.#secondsLeft(),
    });
  }

  #count({ loss, correct }: StepResult, samples: number): void {
    const state = this.#state;
    this.#state = {
      ...state,
      batch: state.batch + 1,
      step: state.step + 1,
      epochTally: addToTally(state.epochTally, samples, loss, correct),
      rowTally: addToTally(state.rowTally, samples, loss, correct),
    };
    this.#sinceCheckpoint.steps++;
    for (const watch of [this.#lately, this.#row, this.#epoch]) watch.add(samples);
  }

  #endRow(learningRate: number): void {
    const { epoch, step, rowTally } = this.#state;
    const row: StepRow = {
      kind: "step",
      epoch: epoch + 1,
      step,
      learningRate,
      ...means(rowTally),
      ...this.#row.read(),
    };
    this.#parts.metrics.append(row);
    this.#state = { ...this.#state, rowTally: emptyTally };
    this.#row = new Stopwatch();
  }

  async #endEpoch(): Promise<void> {
    const { metrics, emit, config } = this.#parts;
    const learningRate = this.#learningRate;
    const rates = this.#epoch.read();
    const validation = await this.#validate();
    if (validation === "stopped") return;
    const row: EpochRow = {
      kind: "epoch",
      epoch: this.#state.epoch + 1,
      step: this.#state.step,
      learningRate,
      ...means(this.#state.epochTally),
      ...rates,
      validation,
      seconds: this.#epoch.seconds,
    };
    metrics.append(row);
    const best = this.#advance(validation === null ? 1 - row.top1 : errors(validation).top1);
    if (best || this.#state.ended !== null || dueAfterEpoch(config.checkpointEvery, this.#state.epoch))
      await this.#checkpoint();
    emit({ kind: "epoch", epochs: this.#state.epochs, row, best, secondsLeft: this.#secondsLeft() });
  }

  /** Null where there are no validation pictures. */
  async #validate(): Promise<Scores | null | "stopped"> {
    const { program, store, config, emit, signal } = this.#parts;
    if (store.count("val") === 0) return null;
    const began = performance.now();
    const epoch = this.#state.epoch + 1;
    try {
      const scorer = new Scorer(store.classes);
      await evaluateSplit(program, store, (probabilities, label) => scorer.add(probabilities, label), {
        split: "val",
        views: 1,
        cropSize: config.network.input.size,
        workers: config.workers,
        signal,
        onProgress: (done, total) => emit({ kind: "validating", epoch, done, total }),
      });
      this.#validationSeconds = (performance.now() - began) / 1000;
      return scorer.scores();
    } catch (error) {
      if (error instanceof AlexnetError && error.code === "interrupted") return "stopped";
      throw error;
    }
  }

  /** Moves on to the next epoch. @returns whether this one's error was the lowest so far */
  #advance(error: number): boolean {
    const { config } = this.#parts;
    const { policy, epochs: planned, best, sinceBest, ...state } = this.#state;
    const isBest = best === null || error < best.error;
    const epoch = state.epoch + 1;
    const seconds = this.#seconds;
    const { timeBudget, recipe } = config;
    const next = {
      ...state,
      epoch,
      batch: 0,
      epochs: timeBudget === null ? planned : epochsInTime(epoch, seconds, timeBudget, recipe.epochs),
      policy: afterEpoch(recipe.policy, policy, error),
      epochTally: emptyTally,
      best: isBest ? { epoch, step: state.step, error } : best,
      sinceBest: isBest ? 0 : sinceBest + 1,
      seconds,
    };
    this.#state = { ...next, ended: reasonToEnd(next, config) };
    this.#epoch = new Stopwatch();
    return isBest;
  }

  get #checkpointDue(): boolean {
    const { steps, began } = this.#sinceCheckpoint;
    const seconds = (performance.now() - began) / 1000;
    return dueAfterStep(this.#parts.config.checkpointEvery, { steps, seconds });
  }

  /** Copies what training depends on; writing it to the disk goes on beside training. */
  async #checkpoint(): Promise<void> {
    const began = performance.now();
    await this.#saving;
    if (this.#savingFailed !== undefined) throw this.#savingFailed;
    const { program, model, config, store, engine, metrics, checkpoints, emit } = this.#parts;
    this.#state = { ...this.#state, seconds: this.#seconds, metricsBytes: metrics.sync() };
    const checkpoint = {
      model: { ...model, parameters: await program.read("parameters") },
      momentum: await program.read("momentum"),
      origin: {
        recipe: config.recipe,
        seed: config.seed,
        dataHash: store.contentHash,
        colour: store.colour,
        engine,
        state: this.#state,
      },
    };
    this.#sinceCheckpoint = { steps: 0, began: performance.now() };
    const stalledSeconds = (performance.now() - began) / 1000;
    this.#saving = checkpoints.save(checkpoint).then(
      (saved) => emit({ kind: "checkpoint", ...saved, stalledSeconds }),
      (error: Error) => {
        this.#savingFailed = error;
      },
    );
  }

  async #stop(): Promise<never> {
    if (this.#state.ended === null && this.#sinceCheckpoint.steps > 0) await this.#checkpoint();
    await this.#saving;
    if (this.#savingFailed !== undefined) throw this.#savingFailed;
    const { run, signal } = this.#parts;
    throw new AlexnetError(
      "interrupted",
      `stopped in epoch ${this.#state.epoch + 1} after step ${this.#state.step}; everything is saved. Go on with: alexnet train --resume ${run}`,
      { cause: signal?.reason },
    );
  }

  get #learningRate(): number {
    const { recipe } = this.#parts.config;
    return learningRateOf({ ...recipe, epochs: this.#state.epochs }, this.#state.policy, this.#state.epoch);
  }

  /** Over the last few seconds. */
  #rateLately(): { readonly imagesPerSecond: number; readonly waiting: number } {
    const current = this.#lately.read();
    if (this.#latelyRead.imagesPerSecond === 0 || this.#lately.seconds > LATELY_SECONDS) {
      this.#latelyRead = current;
      if (this.#lately.seconds > LATELY_SECONDS) this.#lately = new Stopwatch();
    }
    return this.#latelyRead;
  }

  #secondsLeft(): number {
    const { store, config } = this.#parts;
    const { epoch, epochs, batch } = this.#state;
    const pictures = (epochs - epoch) * store.count("train") - batch * config.recipe.batchSize;
    const { imagesPerSecond } = this.#latelyRead;
    const training = imagesPerSecond === 0 ? 0 : Math.max(0, pictures) / imagesPerSecond;
    return training + (epochs - epoch) * this.#validationSeconds;
  }

  #summary(reason: string): TrainSummary {
    const { epoch, step, best } = this.#state;
    return {
      run: this.#parts.run,
      epochs: epoch,
      steps: step,
      best: best === null ? undefined : { epoch: best.epoch, error: best.error },
      reason,
      seconds: this.#seconds,
    };
  }
}

const LATELY_SECONDS = 10;

/** Asks for the next batch; a failure counts when it is waited for. */
function ahead(source: AsyncGenerator<LoadedBatch>): Promise<IteratorResult<LoadedBatch, undefined>> {
  const next = source.next();
  next.catch(() => {});
  return next;
}

function means({ samples, lossSum, correct }: Tally): { readonly loss: number; readonly top1: number } {
  return { loss: samples === 0 ? 0 : lossSum / samples, top1: samples === 0 ? 0 : correct / samples };
}
