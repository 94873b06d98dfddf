import { createHash } from "node:crypto";
import { join } from "node:path";
import { cacheFolder } from "../../system/cache-folder.js";
import { SavedChoices } from "../program/choices.js";
import type { Algorithm, Prepared } from "./dispatch.js";
import { millisecondsOf, type Worker } from "./passes.js";

/** Fewer floating-point operations than this are not worth measuring: the first algorithm is taken. */
const LEAST_FLOPS = 1e8;

/** Milliseconds that are long enough to be measured well. */
const LONG = 20;

export interface Candidate {
  readonly implementation: string;
  readonly dispatches: readonly Prepared[];
}

/** Of several algorithms for the same operation, the quickest on this adapter: measured once, then remembered. */
export class Tuning {
  readonly #gpu: Worker;
  readonly #saved: SavedChoices;

  /** @param machine all that a choice depends on besides the operation */
  constructor(gpu: Worker, machine: string) {
    this.#gpu = gpu;
    const digest = createHash("sha256").update(machine).digest("hex").slice(0, 16);
    this.#saved = new SavedChoices(join(cacheFolder(), "choices", `${digest}.json`));
  }

  /** The algorithm that was given, or found before, where it can still be had; so no other needs to be compiled. */
  known(operation: string, algorithms: readonly Algorithm[], given?: string): Algorithm | undefined {
    for (const name of [given, this.#saved.get(operation)]) {
      const found = algorithms.find(({ implementation }) => implementation === name);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** The quickest of the candidates, the first of few operations. */
  async choose(operation: string, flops: number, candidates: readonly Candidate[]): Promise<Candidate> {
    const [first] = candidates;
    if (candidates.length === 1 || flops < LEAST_FLOPS) return first;
    const times = new Map<Candidate, number>();
    for (const candidate of candidates) times.set(candidate, await this.#measure(candidate));
    const best = candidates.reduce((a, b) => ((times.get(b) ?? 0) < (times.get(a) ?? 0) ? b : a));
    this.#saved.keep(operation, best.implementation);
    return best;
  }

  /** Milliseconds of a run: of the first where that is long, else of several. */
  async #measure({ dispatches }: Candidate): Promise<number> {
    const first = await millisecondsOf(this.#gpu, dispatches);
    if (first > LONG) return first;
    const count = Math.ceil(LONG / Math.max(await millisecondsOf(this.#gpu, dispatches), 0.5));
    return (await millisecondsOf(this.#gpu, Array.from({ length: count }, () => dispatches).flat())) / count;
  }
}
