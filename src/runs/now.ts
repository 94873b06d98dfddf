import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { unfinishedName } from "../system/files.js";
import type { StepDone, TrainEvent } from "./events.js";
import type { RunFolder } from "./folder.js";

const EVERY = 250; // milliseconds: as often as an eye follows
const NOW = "now.json";

/** The step that a run is at, in a file for other processes that look on; it is gone when nothing trains. */
export class Now {
  readonly #path: string;
  #written = Number.NEGATIVE_INFINITY;

  constructor({ path }: RunFolder) {
    this.#path = join(path, NOW);
    this.close(); // of a session that was killed
  }

  readonly update = (event: TrainEvent): void => {
    if (event.kind !== "step" || performance.now() - this.#written < EVERY) return;
    this.#written = performance.now();
    const part = unfinishedName(this.#path);
    try {
      // Needs to be whole, not to outlive a power cut.
      writeFileSync(part, JSON.stringify(event));
      renameSync(part, this.#path);
    } catch {
      // Training goes on where nobody can be told of it.
    }
  };

  close(): void {
    rmSync(this.#path, { force: true });
  }
}

/** The latest step that a run told of; undefined where nothing trains. */
export function readNow({ path }: RunFolder): StepDone | undefined {
  const file = join(path, NOW);
  try {
    return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined;
  } catch {
    return undefined; // it went away meanwhile
  }
}
