import { statSync } from "node:fs";
import type { PrecisionChoice } from "../engine/engine.js";
import type { EngineName } from "../engine/host/engines.js";
import { type OpenModel, openModel } from "../evaluation/open-model.js";

/** How models are opened. */
export interface ModelOptions {
  readonly engine?: "auto" | EngineName;
  readonly threads?: number;
  readonly precision?: PrecisionChoice;
}

const MOST = 2; // open at once: each holds its parameters, and threads
const IDLE = 5 * 60_000; // milliseconds after which one that nobody asks is closed

interface Held {
  readonly model: Promise<OpenModel>;
  readonly changed: number;
  users: number;
  used: number;
}

/**
 * Trained networks, opened when they are first asked for and kept open for the next: pictures of requests that come
 * together are predicted together.
 */
export class Models {
  readonly #options: ModelOptions;
  readonly #held = new Map<string, Held>();
  readonly #timer: NodeJS.Timeout;

  constructor(options: ModelOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#closeIdle(), IDLE / 5);
    this.#timer.unref();
  }

  /** @param path a checkpoint's file; one that was written anew meanwhile is opened anew */
  async use<T>(path: string, work: (model: OpenModel) => Promise<T>): Promise<T> {
    const held = this.#hold(path);
    held.users++;
    try {
      return await work(await held.model);
    } finally {
      held.users--;
      held.used = Date.now();
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    const all = [...this.#held.values()];
    this.#held.clear();
    await Promise.all(all.map(closeHeld));
  }

  #hold(path: string): Held {
    const changed = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    const known = this.#held.get(path);
    if (known?.changed === changed) return known;
    if (known !== undefined) this.#drop(path, known);
    for (const [other, held] of [...this.#held].sort(([, a], [, b]) => a.used - b.used))
      if (this.#held.size >= MOST && held.users === 0) this.#drop(other, held);
    const held = { model: openModel(path, this.#options), changed, users: 0, used: Date.now() };
    held.model.catch(() => this.#held.delete(path)); // the next request tries again
    this.#held.set(path, held);
    return held;
  }

  #closeIdle(): void {
    for (const [path, held] of this.#held)
      if (held.users === 0 && Date.now() - held.used > IDLE) this.#drop(path, held);
  }

  #drop(path: string, held: Held): void {
    this.#held.delete(path);
    void closeHeld(held);
  }
}

async function closeHeld({ model }: Held): Promise<void> {
  await model.then((open) => open.close()).catch(() => {}); // one that could not be opened
}
