import { createHash } from "node:crypto";
import { join } from "node:path";
import { AlexnetError } from "../../errors.js";
import { cacheFolder } from "../../system/cache-folder.js";
import { SavedChoices } from "../program/choices.js";
import type { Prepare } from "../program/operations.js";
import type { Device } from "./native/driver.js";

/** One of several algorithms to carry out an operation. */
export interface Algorithm {
  /** "cudnn implicit-gemm" */
  readonly implementation: string;
  /** Gives what puts the work on the stream. */
  readonly prepare: Prepare;
}

export interface Chosen {
  readonly implementation: string;
  run(): void;
}

const WARM_UP = 2;
const RUNS = 5;

/** Of several algorithms for the same operation, the quickest on this device. */
export class Tuning {
  readonly #device: Device;
  readonly #saved: SavedChoices;

  /** @param machine all that a choice depends on besides the operation, the precision included */
  constructor(device: Device, machine: string) {
    this.#device = device;
    const digest = createHash("sha256").update(machine).digest("hex").slice(0, 16);
    this.#saved = new SavedChoices(join(cacheFolder(), "choices", `${digest}.json`));
  }

  /**
   * @param operation its direction and shape
   * @param given the algorithm to take whatever is quickest, where it can be had
   * @throws what the last algorithm threw, when none works
   */
  choose(operation: string, algorithms: readonly Algorithm[], given?: string): Chosen {
    if (algorithms.length === 1) return prepared(algorithms[0]);
    for (const name of [given, this.#saved.get(operation)]) {
      const known = algorithms.find(({ implementation }) => implementation === name);
      const chosen = known && preparedIfPossible(known);
      if (chosen !== undefined) return chosen;
    }
    const chosen = this.#quickest(algorithms);
    this.#saved.keep(operation, chosen.implementation);
    return chosen;
  }

  #quickest(algorithms: readonly Algorithm[]): Chosen {
    let refusal: unknown;
    const measured = algorithms.flatMap((algorithm) => {
      try {
        const candidate = prepared(algorithm);
        return [{ candidate, milliseconds: this.#measure(candidate) }];
      } catch (error) {
        if (!(error instanceof AlexnetError)) throw error;
        refusal = error; // a library that doesn't support this after all
        return [];
      }
    });
    if (measured.length === 0) throw refusal;
    return measured.reduce((best, other) => (other.milliseconds < best.milliseconds ? other : best)).candidate;
  }

  /** Milliseconds of some runs as a graph, as programs run it. @throws AlexnetError when it can't be captured */
  #measure(candidate: Chosen): number {
    const device = this.#device;
    candidate.run(); // the library loads what it needs
    device.wait();
    const graph = device.capture(() => candidate.run());
    const [start, end] = [device.createEvent({ timed: true }), device.createEvent({ timed: true })];
    try {
      for (let i = 0; i < WARM_UP; i++) graph.launch();
      device.record(start);
      for (let i = 0; i < RUNS; i++) graph.launch();
      device.record(end);
      return device.elapsed(start, end);
    } finally {
      device.wait();
      graph.close();
      start.close();
      end.close();
    }
  }
}

function preparedIfPossible(algorithm: Algorithm): Chosen | undefined {
  try {
    return prepared(algorithm);
  } catch (error) {
    if (!(error instanceof AlexnetError)) throw error;
    return undefined; // a library that doesn't support this any more
  }
}

function prepared({ implementation, prepare }: Algorithm): Chosen {
  return { implementation, run: prepare() };
}
