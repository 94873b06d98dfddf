import { dueAfterEpoch, dueAfterStep } from "../../runs/cadence.js";
import type { Checkpoint } from "../../runs/checkpoint/format.js";
import type { TrainingState } from "../../runs/state.js";
import type { Controlled } from "./control.js";
import type { FinishedEpoch, FinishedStep, Training, Watcher } from "./watcher.js";

/** Writes checkpoints beside training, one at a time, and knows when the next is due. */
export class Saving implements Watcher {
  readonly #training: Training;
  readonly #stateNow: () => TrainingState;
  #steps = 0;
  #began = performance.now();
  #saving: Promise<void> = Promise.resolve();
  #failure: Error | undefined;
  #savedStep: number;

  /**
   * @param stateNow gives the state of the whole run, except for the length of the metrics
   * @param asked knows whether somebody wants a checkpoint
   */
  constructor(
    training: Training,
    stateNow: () => TrainingState,
    readonly asked: Pick<Controlled, "looksAfter" | "takeSave">,
  ) {
    this.#training = training;
    this.#stateNow = stateNow;
    this.#savedStep = training.state.step;
  }

  looksAfter(): boolean {
    return this.#isDueAfter(1);
  }

  /** @throws what went wrong with the checkpoint that was being written */
  async afterStep({ mayLook }: FinishedStep): Promise<void> {
    this.#steps++;
    this.#throwFailure();
    if (mayLook && (this.asked.takeSave() || this.#isDueAfter(0))) await this.save();
  }

  async afterEpoch({ epochs, isBest, isEnd }: FinishedEpoch): Promise<void> {
    if (isBest || isEnd || dueAfterEpoch(this.#training.config.checkpointEvery, epochs)) await this.save();
  }

  /** Whether there were steps since the latest checkpoint. */
  get isBehind(): boolean {
    return this.#steps > 0;
  }

  /** The step of the latest checkpoint that is whole; 0 for none. */
  get savedStep(): number {
    return this.#savedStep;
  }

  /** Waits for the checkpoint before and for a copy of what training goes on from; the rest goes on beside training. */
  async save(): Promise<void> {
    const { checkpoints, task } = this.#training;
    const began = performance.now();
    await this.finish();
    const checkpoint = await this.#copy();
    const stalledSeconds = (performance.now() - began) / 1000;
    this.#steps = 0;
    this.#began = performance.now();
    this.#saving = checkpoints
      .save(checkpoint)
      .then((saved) => {
        this.#savedStep = saved.step;
        task.report({ kind: "checkpoint", ...saved, stalledSeconds });
      })
      .catch((error: Error) => {
        this.#failure = error;
      });
  }

  /** Waits until nothing is being written. @throws what went wrong with it. */
  async finish(): Promise<void> {
    await this.#saving;
    this.#throwFailure();
  }

  /** The metrics up to here are safe before the checkpoint is. */
  async #copy(): Promise<Checkpoint> {
    const { program, model, config, store, engine, metrics } = this.#training;
    const state = { ...this.#stateNow(), metricsBytes: metrics.sync() };
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
        state,
      },
    };
  }

  /** Whether a checkpoint is due once `steps` more are counted. */
  #isDueAfter(steps: number): boolean {
    const seconds = (performance.now() - this.#began) / 1000;
    return dueAfterStep(this.#training.config.checkpointEvery, { steps: this.#steps + steps, seconds });
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }
}
