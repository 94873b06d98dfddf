import { type Cadence, dueAfterStep } from "../runs/cadence.js";
import type { Checkpoint } from "../runs/checkpoint/format.js";
import type { Checkpoints } from "../runs/checkpoint/keep.js";
import type { EventListener } from "../runs/events.js";

/** Writes checkpoints beside training, one at a time, and knows when the next is due. */
export class Saver {
  readonly #checkpoints: Checkpoints;
  readonly #cadence: Cadence;
  readonly #emit: EventListener;
  #steps = 0;
  #began = performance.now();
  #saving: Promise<void> = Promise.resolve();
  #failure: Error | undefined;
  #savedStep: number | undefined;

  constructor(checkpoints: Checkpoints, cadence: Cadence, emit: EventListener) {
    this.#checkpoints = checkpoints;
    this.#cadence = cadence;
    this.#emit = emit;
  }

  /** Call after each step. @throws what went wrong with the checkpoint that was being written. */
  countStep(): void {
    this.#steps++;
    this.#throwFailure();
  }

  get isDue(): boolean {
    return this.isDueAfter(0);
  }

  /** Whether one is due once `steps` more are counted. */
  isDueAfter(steps: number): boolean {
    const seconds = (performance.now() - this.#began) / 1000;
    return dueAfterStep(this.#cadence, { steps: this.#steps + steps, seconds });
  }

  /** Whether there were steps since the latest checkpoint. */
  get isBehind(): boolean {
    return this.#steps > 0;
  }

  /** The step of the latest checkpoint that this session wrote. */
  get savedStep(): number | undefined {
    return this.#savedStep;
  }

  /** Waits for the checkpoint before and for the copy that `copy` makes; the rest goes on beside training. */
  async save(copy: () => Promise<Checkpoint>): Promise<void> {
    const began = performance.now();
    await this.finish();
    const checkpoint = await copy();
    const stalledSeconds = (performance.now() - began) / 1000;
    this.#steps = 0;
    this.#began = performance.now();
    this.#saving = this.#checkpoints
      .save(checkpoint)
      .then((saved) => {
        this.#savedStep = saved.step;
        this.#emit({ kind: "checkpoint", ...saved, stalledSeconds });
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

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }
}
