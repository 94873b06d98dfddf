import type { Engine, Program } from "../engine/engine.js";
import type { Model } from "../model/model.js";

/** A program that is somebody's until it is given back. */
export interface Lease {
  readonly program: Program;
  release(): void;
}

interface Entry {
  readonly views: number;
  readonly observed: string;
  readonly program: Promise<Program>;
  /** Who holds it. */
  users: number;
  /** When it was asked for last, counted in requests. */
  lastUse: number;
  /** Settles once it is free, where only one may have it at a time. */
  free: Promise<void>;
}

const MOST = 4; // programs that are kept: each holds the parameters once more

/**
 * Programs of one network, compiled when they are first asked for and kept for the next call. The engine carries out
 * calls in order, so predictions may share a program; whoever reads activations has it alone, as those are the latest
 * batch's.
 */
export class ProgramCache {
  readonly #entries: Entry[] = [];
  #requests = 0;

  constructor(
    readonly engine: Engine,
    readonly model: Model,
    /** Rejects when the model's parameters turn out to be damaged: no program is handed out then. */
    readonly verified: () => Promise<void>,
  ) {}

  /** A program for batches of up to so many views whose outputs of the layers in `observe` can be read. */
  async acquire(views: number, observe: readonly string[] = []): Promise<Lease> {
    const observed = JSON.stringify(observe);
    const fitting = this.#entries.filter(
      (entry) => entry.observed === observed && entry.views >= views && entry.views <= 2 * views,
    );
    const entry = fitting.sort((a, b) => a.views - b.views)[0] ?? this.#compile(views, observe, observed);
    entry.users++;
    entry.lastUse = ++this.#requests;
    let done = (): void => {};
    const before = entry.free;
    if (observe.length > 0)
      entry.free = new Promise((resolve) => {
        done = resolve;
      });
    const release = (): void => {
      entry.users--;
      done();
    };
    try {
      const [program] = await Promise.all([entry.program, this.verified(), before]);
      return { program, release };
    } catch (error) {
      release();
      throw error;
    }
  }

  #compile(views: number, observe: readonly string[], observed: string): Entry {
    this.#evict();
    const program = compileModel(this.engine, this.model, views, observe);
    const entry: Entry = { views, observed, program, users: 0, lastUse: 0, free: Promise.resolve() };
    this.#entries.push(entry);
    program.catch(() => this.#forget(entry)); // the next call tries again
    return entry;
  }

  /** Closes those that nobody holds and that were asked for longest ago, until there is room for one more. */
  #evict(): void {
    const idle = this.#entries.filter(({ users }) => users === 0).sort((a, b) => a.lastUse - b.lastUse);
    for (const entry of idle.slice(0, Math.max(0, this.#entries.length - MOST + 1))) {
      this.#forget(entry);
      entry.program.then((program) => program.close()).catch(() => {}); // its engine failed: the next call says so
    }
  }

  #forget(entry: Entry): void {
    this.#entries.splice(this.#entries.indexOf(entry), 1);
  }
}

/** A network compiled to predict, with its parameters in it. */
export async function compileModel(
  engine: Engine,
  { network, preprocessing, parameters }: Model,
  batchSize: number,
  observe: readonly string[] = [],
): Promise<Program> {
  const program = await engine.compile(network, { mode: "predict", preprocessing, batchSize, observe });
  await program.write("parameters", parameters);
  return program;
}
