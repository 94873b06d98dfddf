import { sharedStep } from "../distributed/step.js";
import type { StepResult } from "../engine/engine.js";
import { AlexnetError } from "../errors.js";
import { bits, Purpose } from "../random.js";
import { learningRateOf } from "../recipes/policy.js";
import type { TrainSummary } from "../runs/events.js";
import type { EpochRow } from "../runs/metrics.js";
import { addToTally, meansOf, type TrainingState } from "../runs/state.js";
import { errorOfGuessing } from "../scoring/guessing.js";
import { errors } from "../scoring/scores.js";
import type { LoadedBatch } from "../store/reading/batches.js";
import { batchesOfEpoch } from "./settle.js";
import { nextEpoch, stopped, withWayOn } from "./stopping.js";
import { Timing } from "./stopwatch.js";
import { validate } from "./validation.js";
import { Classes } from "./watching/classes.js";
import { Controlled } from "./watching/control.js";
import { Divergence } from "./watching/divergence.js";
import { Layers } from "./watching/layers.js";
import { Rows } from "./watching/rows.js";
import { Saving } from "./watching/saving.js";
import { Stall } from "./watching/stall.js";
import type { FinishedStep, StepUnderWay, Training, Watcher } from "./watching/watcher.js";

/** A step that the program was asked for. */
interface Asked extends StepUnderWay {
  readonly loaded: LoadedBatch;
  readonly result: Promise<StepResult>;
}

/**
 * Trains epoch after epoch. What it does next depends on nothing but `TrainingState`, the parameters and the momentum.
 *
 * The program is kept busy: a step is asked for while the one before is under way, so that an engine goes from one to
 * the next without a break, and the batch after that is decoded meanwhile. While two steps are under way nobody may look
 * at the program, since its parameters would be those of the second. So each watcher says beforehand whether it wants to
 * look after a step (at an epoch's end, when a checkpoint is due, before a warning): no other is asked for then until
 * all watchers have been told of it.
 */
export class Loop {
  readonly #training: Training;
  readonly #timing = new Timing();
  readonly #began = performance.now();
  readonly #saving: Saving;
  readonly #controlled: Controlled;
  readonly #classes: Classes;
  /** Errors below it are better than guessing. */
  readonly #guessing: number;
  /** In the order in which they are told: what ends the run comes first, what saves it last. */
  readonly #watchers: readonly Watcher[];
  /** Of the loop itself; see `#stateNow` for the whole. */
  #state: TrainingState;
  #validationSeconds = 0;

  constructor(training: Training) {
    const layers = new Layers(training);
    const { store } = training;
    this.#training = training;
    this.#guessing = errorOfGuessing(store.labels(store.count("val") === 0 ? "train" : "val"));
    this.#state = training.state;
    this.#classes = new Classes(training);
    this.#controlled = new Controlled(training);
    this.#saving = new Saving(training, () => this.#stateNow(), this.#controlled);
    this.#watchers = [
      new Divergence(training),
      { afterStep: (step) => this.#count(step) },
      layers,
      new Stall(training, layers),
      new Rows(training, this.#timing),
      { afterStep: (step) => this.#tell(step) },
      this.#controlled,
      this.#saving,
    ];
  }

  /**
   * Trains until the epochs are done or another reason to end comes first.
   * @throws AlexnetError "interrupted" when the signal stopped it, after a checkpoint; "not-finite" when numbers are not
   * finite any more, "disk" when it is full, and others: the latest checkpoint is whole, the hints say how to go on.
   */
  async run(): Promise<TrainSummary> {
    const { folder, config, task, state, batches: perEpoch } = this.#training;
    try {
      if (state.step === 0) this.#classes.begin();
      while (this.#state.ended === null) {
        if (this.#state.batch < perEpoch) await this.#trainEpoch();
        if (!this.#isStopping) await this.#endEpoch();
        if (!this.#isStopping || this.#state.ended !== null) continue;
        if (this.#saving.isBehind) await this.#saving.save();
        await this.#saving.finish();
        throw stopped(folder.path, this.#state, task.signal.reason ?? this.#controlled.signal.reason);
      }
      await this.#saving.finish();
      return this.#summary(this.#state.ended);
    } catch (error) {
      await this.#saving.finish().catch(() => {}); // one error is enough
      throw withWayOn(error, folder.path, this.#saving.savedStep, config);
    } finally {
      this.#controlled.close();
    }
  }

  async #trainEpoch(): Promise<void> {
    const { config, store, read, batches: perEpoch } = this.#training;
    const source = read(batchesOfEpoch(config, this.#state.epoch, this.#state.batch));
    this.#timing.beginEpoch();
    let underWay: Asked | undefined;
    try {
      let next = ahead(source);
      while (this.#state.batch < perEpoch && !this.#isStopping && !this.#isOutOfTime) {
        const { value: batch } = await this.#timing.wait(next, underWay?.result);
        if (batch === undefined)
          throw new AlexnetError("unusable-data", `${store.path}: gave fewer batches than it has pictures`);
        next = ahead(source); // decoded while this batch is trained on
        await this.#controlled.look();
        if (this.#isStopping) {
          batch.release();
          break;
        }
        const step = this.#ask(batch, this.#state.batch + (underWay === undefined ? 0 : 1));
        if (underWay !== undefined) await this.#finish(underWay, false);
        const looks = this.#watchers.some((watcher) => watcher.looksAfter?.(step));
        if (looks) await this.#finish(step, true);
        underWay = looks ? undefined : step;
      }
      if (underWay !== undefined) await this.#finish(underWay, false);
    } finally {
      await source.return(undefined);
    }
  }

  #ask(loaded: LoadedBatch, index: number): Asked {
    const { samples, release: _release, ...batch } = loaded;
    const { world, program, config, batches: perEpoch } = this.#training;
    const { momentum, weightDecay } = config.recipe;
    const learningRate = this.#learningRateOf(index);
    const seed = bits(config.seed, Purpose.dropout, this.#state.epoch, index);
    const rates = { learningRate, momentum, weightDecay };
    const result = sharedStep(world, program, batch, { ...rates, seed, samples: samples.length, firstSample: 0 });
    result.catch(() => {}); // a failure counts when it is waited for
    return { loaded, index, isLastOfEpoch: index + 1 === perEpoch, learningRate, result };
  }

  /** @param mayLook whether no other step is under way */
  async #finish({ loaded, result: answer, ...asked }: Asked, mayLook: boolean): Promise<void> {
    const { samples, release, ...batch } = loaded;
    const result = await answer;
    const { epoch, step } = this.#state;
    const finished = { ...asked, epoch: epoch + 1, step: step + 1, samples: samples.length, result, batch, mayLook };
    for (const watcher of this.#watchers) await watcher.afterStep?.(finished);
    release();
  }

  #count({ samples, result: { loss, correct } }: FinishedStep): void {
    const { batch, step, epochTally } = this.#state;
    this.#state = {
      ...this.#state,
      batch: batch + 1,
      step: step + 1,
      epochTally: addToTally(epochTally, samples, loss, correct),
    };
    this.#timing.add(samples);
  }

  #tell({ epoch, step, learningRate }: FinishedStep): void {
    const { task, batches: perEpoch } = this.#training;
    const { epochs, batch, epochTally } = this.#state;
    const place = { epoch, epochs, batch, batches: perEpoch, step };
    const secondsLeft = this.#secondsLeft();
    task.report({ kind: "step", ...place, learningRate, ...meansOf(epochTally), ...this.#timing.lately, secondsLeft });
  }

  async #endEpoch(): Promise<void> {
    const rate = this.#timing.epoch;
    const learningRate = this.#learningRateOf(this.#state.batch - 1);
    const validation = await validate(this.#training);
    if (validation === "stopped") return;
    this.#validationSeconds = validation.seconds;
    const { epoch, step, epochTally } = this.#state;
    const row: EpochRow = {
      kind: "epoch",
      epoch: epoch + 1,
      step,
      learningRate,
      ...meansOf(epochTally),
      ...rate,
      validation: validation.scores,
      layers: [...this.#stateNow().layers],
      seconds: this.#timing.epochSeconds,
    };
    const error = validation.scores === null ? 1 - row.top1 : errors(validation.scores).top1;
    const outcome = { error, guessing: this.#guessing };
    this.#state = nextEpoch({ ...this.#state, seconds: this.#seconds }, outcome, this.#training.config);
    const { epoch: epochs, best, ended } = this.#state;
    const isBest = best?.epoch === epochs;
    const finished = { row, epochs, isBest, isEnd: ended !== null, isFlat: validation.isFlat };
    for (const watcher of this.#watchers) await watcher.afterEpoch?.(finished);
    const secondsLeft = this.#secondsLeft();
    this.#training.task.report({ kind: "epoch", epochs: this.#state.epochs, row, best: isBest, secondsLeft });
    if (ended !== null && best !== null) this.#classes.end(validation, best);
  }

  /** The loop's state with what the watchers remember. */
  #stateNow(): TrainingState {
    let whole: TrainingState = { ...this.#state, seconds: this.#seconds };
    for (const { state } of this.#watchers) whole = { ...whole, ...state };
    return whole;
  }

  get #isStopping(): boolean {
    return this.#training.task.signal.aborted || this.#controlled.signal.aborted;
  }

  /** Spent on the run so far, over all sessions. */
  get #seconds(): number {
    return this.#training.state.seconds + (performance.now() - this.#began) / 1000;
  }

  get #isOutOfTime(): boolean {
    const { timeBudget } = this.#training.config;
    return timeBudget !== null && this.#seconds >= timeBudget;
  }

  /** @param batch the step's index in its epoch */
  #learningRateOf(batch: number): number {
    const { config, batches } = this.#training;
    const { epochs, epoch, policy } = this.#state;
    const planned = learningRateOf({ ...config.recipe, epochs }, policy, { epoch, batch, batches });
    return planned * this.#controlled.rateFactor;
  }

  #secondsLeft(): number {
    const { epoch, epochs, epochTally } = this.#state;
    const pictures = (epochs - epoch) * this.#training.store.count("train") - epochTally.samples;
    const { imagesPerSecond } = this.#timing.lately;
    const training = imagesPerSecond === 0 ? 0 : Math.max(0, pictures) / imagesPerSecond;
    return training + (epochs - epoch) * this.#validationSeconds;
  }

  #summary(reason: string): TrainSummary {
    const { epoch, step, best } = this.#state;
    return {
      run: this.#training.folder.path,
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
