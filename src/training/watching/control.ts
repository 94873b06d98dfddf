import { setTimeout } from "node:timers/promises";
import { type Control, RATE_DIVISOR, RunControl } from "../../runs/control.js";
import type { TrainingState } from "../../runs/state.js";
import type { StepUnderWay, Training, Watcher } from "./watcher.js";

/** Milliseconds between looks while a run is paused. */
const PAUSE = 200;

/** Does what people ask of a run while it trains: pause, save, stop, a lower learning rate. */
export class Controlled implements Watcher {
  readonly #training: Pick<Training, "task">;
  readonly #control: RunControl;
  readonly #stop = new AbortController();
  #saves = false;
  #rateFactor: number;

  constructor(training: Pick<Training, "folder" | "task" | "state">) {
    this.#training = training;
    this.#control = new RunControl(training.folder);
    this.#rateFactor = training.state.rateFactor;
  }

  /** Aborts when the run is asked to stop. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** What every learning rate is multiplied by from now on. */
  get rateFactor(): number {
    return this.#rateFactor;
  }

  get state(): Pick<TrainingState, "rateFactor"> {
    return { rateFactor: this.#rateFactor };
  }

  looksAfter(_step: StepUnderWay): boolean {
    return this.#saves;
  }

  /** Whether a checkpoint was asked for since the last time this was asked. */
  takeSave(): boolean {
    const saves = this.#saves;
    this.#saves = false;
    return saves;
  }

  /** Looks what was asked for; while the run is paused, waits. Between steps. */
  async look(): Promise<void> {
    let paused = this.#obey(false);
    if (!paused) return;
    this.#control.paused = true;
    try {
      while (paused && !this.#training.task.signal.aborted && !this.#stop.signal.aborted) {
        await setTimeout(PAUSE);
        paused = this.#obey(true);
      }
    } finally {
      this.#control.paused = false;
    }
  }

  close(): void {
    this.#control.forget();
  }

  /** @returns whether the run is paused then */
  #obey(paused: boolean): boolean {
    let pausedNow = paused;
    for (const action of this.#control.take()) {
      this.#carryOut(action);
      if (action === "pause" || action === "resume") pausedNow = action === "pause";
    }
    return pausedNow;
  }

  #carryOut(action: Control): void {
    if (action === "save") this.#saves = true;
    if (action === "stop") this.#stop.abort("stopped by a person");
    if (action === "lower-rate") this.#rateFactor /= RATE_DIVISOR;
    this.#training.task.report({ kind: "control", action, rateFactor: this.#rateFactor });
  }
}
