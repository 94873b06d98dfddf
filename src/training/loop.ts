import type { Engine, Program, StepResult } from "../engine/engine.js";
import { AlexnetError } from "../errors.js";
import { evaluateSplit } from "../evaluation/evaluate-split.js";
import type { Model } from "../model/model.js";
import { parameterTable, parameterView } from "../network/parameters.js";
import type { Batch } from "../network/picture.js";
import { bits, Purpose } from "../random.js";
import { afterEpoch, learningRateOf } from "../recipes/policy.js";
import { dueAfterEpoch } from "../runs/cadence.js";
import type { Checkpoint } from "../runs/checkpoint/format.js";
import type { Checkpoints } from "../runs/checkpoint/keep.js";
import type { EventListener, TrainSummary } from "../runs/events.js";
import type { EpochRow, MetricsFile, StepRow } from "../runs/metrics.js";
import type { RunConfig } from "../runs/settings.js";
import { addToTally, emptyTally, type Tally, type TrainingState } from "../runs/state.js";
import { errors, Scorer, type Scores } from "../scoring/scores.js";
import {
  type BatchOptions,
  batches,
  countBatches,
  type LoadedBatch,
  type ReadBatches,
} from "../store/reading/batches.js";
import type { Store } from "../store/store.js";
import { type ProgressEvent, taskOf } from "../task.js";
import { epochsInTime, reasonToEnd } from "./ending.js";
import { trainingViews } from "./plan.js";
import { Saver } from "./saving.js";
import { Timing } from "./stopwatch.js";
import { locateDivergence } from "./watching/divergence.js";
import { measureLayers } from "./watching/layer-statistics.js";
import { AnswerSpread, describeGuessing, describeSameAnswers, isWorthAWarning, watchLoss } from "./watching/stall.js";

export interface TrainerParts {
  readonly run: string;
  readonly config: RunConfig;
  readonly store: Store;
  readonly engine: Engine;
  /** Holds the parameters and momentum that go with `start`. */
  readonly program: Program;
  /** Gives what the program takes. */
  readonly read: ReadBatches;
  /** The layer that the program begins after, if it does. */
  readonly after: string | undefined;
  /** All but the parameters, which the program holds. */
  readonly model: Omit<Model, "parameters">;
  readonly start: TrainingState;
  readonly metrics: MetricsFile;
  readonly checkpoints: Checkpoints;
  readonly emit: EventListener;
  /** Ends training after the step under way, with everything saved. */
  readonly signal: AbortSignal | undefined;
}

/** A step that the program was asked for. */
interface Step {
  readonly loaded: LoadedBatch;
  /** In its epoch. */
  readonly index: number;
  readonly learningRate: number;
  readonly result: Promise<StepResult>;
}

/** The loop. What it does next depends on nothing but `TrainingState`, the parameters and the momentum. */
export class Trainer {
  readonly batchesPerEpoch: number;
  readonly #parts: TrainerParts;
  readonly #saver: Saver;
  readonly #timing = new Timing();
  readonly #sessionBegan = performance.now();
  #state: TrainingState;
  #validationSeconds = 0;

  constructor(parts: TrainerParts) {
    const { store, config, checkpoints, emit, start } = parts;
    const { batchSize } = config.recipe;
    this.batchesPerEpoch = countBatches(store, { split: "train", views: "augmented", batchSize });
    this.#parts = parts;
    this.#saver = new Saver(checkpoints, config.checkpointEvery, emit);
    this.#state = start;
  }

  /**
   * Trains until the epochs are done or another reason to end comes first.
   * @throws AlexnetError "interrupted" when the signal stopped it, after a checkpoint; "not-finite" when numbers are not
   * finite any more, "run" when the disk is full, and others: the latest checkpoint is whole, the message says how to
   * go on from it.
   */
  async run(): Promise<TrainSummary> {
    try {
      while (this.#state.ended === null) {
        if (this.#state.batch < this.batchesPerEpoch) await this.#trainEpoch();
        if (!this.#stopping) await this.#endEpoch();
        if (this.#stopping && this.#state.ended === null) await this.#stop();
      }
      await this.#saver.finish();
      return this.#summary(this.#state.ended);
    } catch (error) {
      await this.#saver.finish().catch(() => {}); // one error is enough
      throw this.#withWayOn(error);
    }
  }

  async #trainEpoch(): Promise<void> {
    const { store, read } = this.#parts;
    const source = read(this.#epochFrom(this.#state.batch));
    this.#timing.beginEpoch();
    let underWay: Step | undefined; // asked for, not answered yet: the engine goes from it to the next without a break
    try {
      let next = ahead(source);
      while (this.#state.batch < this.batchesPerEpoch && !this.#stopping && !this.#outOfTime) {
        const { value: batch } = await this.#timing.wait(next, underWay?.result);
        if (batch === undefined)
          throw new AlexnetError("unusable-data", `${store.path}: gave fewer batches than it has pictures`);
        next = ahead(source); // decoded while this batch is trained on
        const step = this.#begin(batch, this.#state.batch + (underWay === undefined ? 0 : 1));
        if (underWay !== undefined) await this.#finish(underWay);
        underWay = step;
        if (!this.#readsAfter(step)) continue;
        underWay = undefined;
        await this.#finish(step);
        if (this.#saver.isDue) await this.#save();
      }
      if (underWay !== undefined) await this.#finish(underWay);
    } finally {
      await source.return(undefined);
    }
  }

  /** What the epoch under way sees, from a batch on. */
  #epochFrom(firstBatch: number): BatchOptions {
    const { config } = this.#parts;
    return {
      split: "train",
      views: trainingViews(config.recipe),
      batchSize: config.recipe.batchSize,
      cropSize: config.network.input.size,
      seed: config.seed,
      epoch: this.#state.epoch,
      shuffle: true,
      firstBatch,
      colourDeviation: config.recipe.colourDeviation,
      ...(config.workers !== null && { workers: config.workers }),
    };
  }

  /** @param index of the batch in its epoch */
  #begin(loaded: LoadedBatch, index: number): Step {
    const { samples: _samples, release: _release, ...batch } = loaded;
    const { program, config } = this.#parts;
    const { momentum, weightDecay } = config.recipe;
    const learningRate = this.#learningRate;
    const seed = bits(config.seed, Purpose.dropout, this.#state.epoch, index);
    const result = program.step(batch, { learningRate, momentum, weightDecay, seed });
    result.catch(() => {}); // a failure counts when it is waited for
    return { loaded, index, learningRate, result };
  }

  /** Whether the program is looked at between this step, the only one under way, and the next. */
  #readsAfter({ index }: Step): boolean {
    const { guessing } = this.#state;
    return (
      index + 1 === this.batchesPerEpoch ||
      this.#saver.isDueAfter(1) ||
      isWorthAWarning({ ...guessing, steps: guessing.steps + 1 })
    );
  }

  async #finish({ loaded: { samples, release, ...batch }, learningRate, result: answer }: Step): Promise<void> {
    const { config } = this.#parts;
    const { epoch } = this.#state;
    const result = await answer;
    if (!Number.isFinite(result.loss)) throw await this.#diverged(batch);
    release();
    this.#count(result, samples.length);
    if (this.#state.batch === this.batchesPerEpoch) await this.#measureLayers();
    if (isWorthAWarning(this.#state.guessing)) await this.#warnOfGuessing();
    if (this.#state.rowTally.steps >= config.metricsEvery) this.#endRow(learningRate);
    this.#parts.emit({
      kind: "step",
      epoch: epoch + 1,
      epochs: this.#state.epochs,
      batch: this.#state.batch,
      batches: this.batchesPerEpoch,
      step: this.#state.step,
      learningRate,
      ...means(this.#state.epochTally),
      ...this.#timing.lately,
      secondsLeft: this.#secondsLeft(),
    });
    this.#saver.countStep();
  }

  #count({ loss, correct }: StepResult, samples: number): void {
    const state = this.#state;
    this.#state = {
      ...state,
      batch: state.batch + 1,
      step: state.step + 1,
      epochTally: addToTally(state.epochTally, samples, loss, correct),
      rowTally: addToTally(state.rowTally, samples, loss, correct),
      guessing: watchLoss(state.guessing, loss, this.#parts.config.data.classes),
    };
    this.#timing.add(samples);
  }

  #endRow(learningRate: number): void {
    const { epoch, step, rowTally } = this.#state;
    const rate = this.#timing.endRow();
    const row: StepRow = { kind: "step", epoch: epoch + 1, step, learningRate, ...means(rowTally), ...rate };
    this.#parts.metrics.append(row);
    this.#parts.emit({ kind: "row", row });
    this.#state = { ...this.#state, rowTally: emptyTally };
  }

  async #measureLayers(): Promise<void> {
    const { program, config, emit } = this.#parts;
    const { network } = config;
    const parameters = await program.read("parameters");
    const layers = measureLayers(network, parameters, await program.read("gradients"));
    const broken = layers.findLast(({ weightNorm, gradientNorm }) => !Number.isFinite(weightNorm + gradientNorm));
    if (broken !== undefined) throw this.#overflowed(broken.layer);
    this.#state = { ...this.#state, layers };
    const [first] = parameterTable(network);
    if (first === undefined) return;
    const filters = { shape: first.shape, values: parameterView(parameters, first).slice() };
    emit({ kind: "layers", step: this.#state.step, layers, filters });
  }

  async #warnOfGuessing(): Promise<void> {
    await this.#measureLayers();
    const { config } = this.#parts;
    const { guessing, layers } = this.#state;
    this.#warn(describeGuessing(guessing, config.data.classes, config.recipe, layers));
  }

  /** @param layer the last: gradients go from the last layer to the first */
  #overflowed(layer: string): AlexnetError {
    const { step, epoch } = this.#state;
    const message = `the gradient of ${layer} was the first to overflow, by step ${step} (epoch ${epoch + 1})`;
    return new AlexnetError("not-finite", `${this.#parts.run}: ${message}`);
  }

  async #diverged(batch: Batch): Promise<AlexnetError> {
    const { run, engine, program, model, after } = this.#parts;
    const { step, epoch } = this.#state;
    const where = await locateDivergence(engine, program, model, await this.#withPictures(batch), after);
    return new AlexnetError(
      "not-finite",
      `${run}: the loss of step ${step + 1} (epoch ${epoch + 1}) is not finite: ${where}`,
    );
  }

  /** The batch under way, for programs that hold no pictures. */
  async #withPictures(batch: Batch): Promise<Batch> {
    if (!batch.held) return batch;
    for await (const loaded of batches(this.#parts.store, this.#epochFrom(this.#state.batch))) return loaded;
    return batch;
  }

  /** An error that ended training, and how to go on after it. */
  #withWayOn(error: unknown): unknown {
    if (!(error instanceof AlexnetError) || error.code === "interrupted") return error;
    const step = this.#saver.savedStep ?? this.#parts.start.step;
    const resume = `alexnet train --resume ${this.#parts.run}`;
    const { name, learningRate } = this.#parts.config.recipe;
    const way =
      error.code === "not-finite"
        ? wayOutOfOverflow(step, resume, name, learningRate)
        : step === 0
          ? `Nothing is saved yet; ${resume} begins anew`
          : `Step ${step} is saved; ${resume} goes on from there`;
    return new AlexnetError(error.code, `${error.message}. ${way}`, { cause: error });
  }

  async #endEpoch(): Promise<void> {
    const { metrics, emit, config } = this.#parts;
    const rate = this.#timing.epoch;
    const learningRate = this.#learningRate;
    const validation = await this.#validate();
    if (validation === "stopped") return;
    const row: EpochRow = {
      kind: "epoch",
      epoch: this.#state.epoch + 1,
      step: this.#state.step,
      learningRate,
      ...means(this.#state.epochTally),
      ...rate,
      validation,
      layers: [...this.#state.layers],
      seconds: this.#timing.epochSeconds,
    };
    metrics.append(row);
    const best = this.#advance(validation === null ? 1 - row.top1 : errors(validation).top1);
    const due = dueAfterEpoch(config.checkpointEvery, this.#state.epoch);
    if (best || due || this.#state.ended !== null) await this.#save();
    emit({ kind: "epoch", epochs: this.#state.epochs, row, best, secondsLeft: this.#secondsLeft() });
  }

  /** Null where there are no validation pictures. */
  async #validate(): Promise<Scores | null | "stopped"> {
    const { program, store, config, emit, signal, read } = this.#parts;
    if (store.count("val") === 0) return null;
    const began = performance.now();
    const epoch = this.#state.epoch + 1;
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
      const task = taskOf<ProgressEvent>({
        signal,
        onEvent: ({ done, total }) => emit({ kind: "validating", epoch, done, total }),
      });
      await evaluateSplit(program, store, count, options, task);
    } catch (error) {
      if (error instanceof AlexnetError && error.code === "interrupted") return "stopped";
      throw error;
    }
    if (spread.isFlat) this.#warn(describeSameAnswers(config.recipe));
    this.#validationSeconds = (performance.now() - began) / 1000;
    return scorer.scores();
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
    return isBest;
  }

  #save(): Promise<void> {
    return this.#saver.save(() => this.#checkpoint());
  }

  /** A copy of everything that training goes on from; the metrics up to here are safe before it is. */
  async #checkpoint(): Promise<Checkpoint> {
    const { program, model, config, store, engine, metrics } = this.#parts;
    this.#state = { ...this.#state, seconds: this.#seconds, metricsBytes: metrics.sync() };
    return {
      model: { ...model, parameters: await program.read("parameters") },
      momentum: await program.read("momentum"),
      origin: {
        recipe: config.recipe,
        seed: config.seed,
        dataHash: store.contentHash,
        colour: store.colour,
        engine: engine.description,
        algorithms: program.algorithms,
        state: this.#state,
      },
    };
  }

  async #stop(): Promise<never> {
    if (this.#saver.isBehind) await this.#save();
    await this.#saver.finish();
    const { run, signal } = this.#parts;
    throw new AlexnetError(
      "interrupted",
      `stopped in epoch ${this.#state.epoch + 1} after step ${this.#state.step}; everything is saved. Go on with: alexnet train --resume ${run}`,
      { cause: signal?.reason },
    );
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

  get #learningRate(): number {
    const { recipe } = this.#parts.config;
    return learningRateOf({ ...recipe, epochs: this.#state.epochs }, this.#state.policy, this.#state.epoch);
  }

  #warn(message: string): void {
    this.#parts.emit({ kind: "warning", message });
  }

  #secondsLeft(): number {
    const { epoch, epochs, epochTally } = this.#state;
    const pictures = (epochs - epoch) * this.#parts.store.count("train") - epochTally.samples;
    const { imagesPerSecond } = this.#timing.lately;
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

/** Asks for the next batch; a failure counts when it is waited for. */
function ahead(source: AsyncGenerator<LoadedBatch>): Promise<IteratorResult<LoadedBatch, undefined>> {
  const next = source.next();
  next.catch(() => {});
  return next;
}

function means({ samples, lossSum, correct }: Tally): { readonly loss: number; readonly top1: number } {
  return { loss: samples === 0 ? 0 : lossSum / samples, top1: samples === 0 ? 0 : correct / samples };
}

function wayOutOfOverflow(step: number, resume: string, recipe: string, learningRate: number): string {
  const lower = `--learning-rate ${Number((learningRate / 10).toPrecision(2))}`;
  const anew = `begin anew with ${recipe === "small" ? "a lower rate" : "--recipe small"}`;
  if (step === 0)
    return `Nothing is saved yet: begin anew with ${recipe === "small" ? "" : "--recipe small, or with "}${lower}`;
  return `Step ${step} is saved: go on from it with a lower rate (${resume} --override ${lower}), or ${anew}`;
}
