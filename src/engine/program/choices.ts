import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { lockFile } from "../../system/file-lock.js";
import { removeLeftovers, writeWhole } from "../../system/files.js";

/** Milliseconds to wait for another process to write its choice, in tries. */
const [PAUSE, TRIES] = [5, 200];

/**
 * Which of several algorithms was found to be the quickest, by operation: kept in a file from one program to the next,
 * so that the same machine computes the same bits the next time. Other processes write the same file.
 */
export class SavedChoices {
  readonly #path: string;
  #known: Readonly<Record<string, string>>;

  constructor(path: string) {
    this.#path = path;
    this.#known = readChoices(path);
  }

  /** The algorithm's name; undefined where nothing was found yet. */
  get(key: string): string | undefined {
    return Object.hasOwn(this.#known, key) ? this.#known[key] : undefined;
  }

  /** Adds to what the file holds by now. Where it can't be written, the choice is measured again the next time. */
  keep(key: string, name: string): void {
    this.#known = { ...this.#known, [key]: name };
    const folder = dirname(this.#path);
    try {
      mkdirSync(folder, { recursive: true });
      alone(folder, () => {
        removeLeftovers(folder);
        this.#known = { ...this.#known, ...readChoices(this.#path), [key]: name };
        writeWhole(this.#path, `${JSON.stringify(this.#known, undefined, 2)}\n`);
      });
    } catch {
      // The folder can't be written.
    }
  }
}

/** Does `work` while no other process does the same in this folder; after a second of waiting all the same. */
function alone(folder: string, work: () => void): void {
  const file = process.platform === "win32" ? undefined : openSync(folder, "r"); // folders can't be locked there
  try {
    for (let tried = 0; file !== undefined && tried < TRIES && lockFile(file) === false; tried++)
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE);
    work();
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** The choices in a file; none where there is no such file, or it is damaged. */
function readChoices(path: string): Readonly<Record<string, string>> {
  try {
    const values: unknown = JSON.parse(readFileSync(path, "utf8"));
    const entries = Object.entries(values ?? {});
    return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === "string"));
  } catch {
    return {};
  }
}
