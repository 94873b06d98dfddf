import { createHash } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { AlexnetError } from "../../errors.js";
import { cacheFolder } from "../../system/cache-folder.js";
import { writeWhole } from "../../system/files.js";
import type { Device } from "./driver.js";

/** A way to do an operation. */
export interface Way {
  /** "cudnn implicit-gemm" */
  readonly implementation: string;
  /** Gives what puts the work on the stream. */
  prepare(): () => void;
}

export interface Chosen {
  readonly implementation: string;
  run(): void;
}

const WARM_UP = 2;
const RUNS = 5;

/**
 * Of several ways to do the same, the quickest on this device. What was found is kept on disk, so that the same
 * machine computes the same bits the next time.
 */
export class Tuning {
  readonly #device: Device;
  readonly #path: string;
  readonly #found: Map<string, string>;

  /** @param machine all that a choice depends on besides the operation */
  constructor(device: Device, machine: string) {
    this.#device = device;
    const digest = createHash("sha256").update(machine).digest("hex").slice(0, 16);
    this.#path = join(cacheFolder(), "choices", `${digest}.json`);
    this.#found = readChoices(this.#path);
  }

  /**
   * @param operation its direction and shape
   * @param asked the way to take whatever is quickest, where it can be had
   * @throws what the last way threw, when none works
   */
  choose(operation: string, ways: readonly Way[], asked?: string): Chosen {
    if (ways.length === 1) return prepared(ways[0]);
    for (const name of [asked, this.#found.get(operation)]) {
      const known = ways.find(({ implementation }) => implementation === name);
      const way = known && preparedIfPossible(known);
      if (way !== undefined) return way;
    }
    const chosen = this.#quickest(ways);
    this.#keep(operation, chosen.implementation);
    return chosen;
  }

  #quickest(ways: readonly Way[]): Chosen {
    let refusal: unknown;
    const measured = ways.flatMap((each) => {
      try {
        const way = prepared(each);
        return [{ way, milliseconds: this.#measure(way) }];
      } catch (error) {
        if (!(error instanceof AlexnetError)) throw error;
        refusal = error; // a library that doesn't support this after all
        return [];
      }
    });
    if (measured.length === 0) throw refusal;
    return measured.reduce((best, other) => (other.milliseconds < best.milliseconds ? other : best)).way;
  }

  /** Milliseconds of some runs as a graph, as programs run it. @throws AlexnetError when it can't be captured */
  #measure(way: Chosen): number {
    const device = this.#device;
    way.run(); // the library loads what it needs
    device.wait();
    const graph = device.capture(() => way.run());
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

  #keep(operation: string, implementation: string): void {
    this.#found.set(operation, implementation);
    try {
      mkdirSync(join(cacheFolder(), "choices"), { recursive: true });
      writeWhole(this.#path, `${JSON.stringify(Object.fromEntries(this.#found), undefined, 2)}\n`);
    } catch {
      // Measured again the next time.
    }
  }
}

function preparedIfPossible(way: Way): Chosen | undefined {
  try {
    return prepared(way);
  } catch (error) {
    if (!(error instanceof AlexnetError)) throw error;
    return undefined; // a library that doesn't support this any more
  }
}

function prepared({ implementation, prepare }: Way): Chosen {
  return { implementation, run: prepare() };
}

function readChoices(path: string): Map<string, string> {
  try {
    const values: unknown = JSON.parse(readFileSync(path, "utf8"));
    const entries = Object.entries(values ?? {});
    return new Map(entries.filter((entry): entry is [string, string] => typeof entry[1] === "string"));
  } catch {
    return new Map(); // none yet, or not readable
  }
}
