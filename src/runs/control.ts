import { appendFileSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { AlexnetError } from "../errors.js";
import { explainDisk } from "../system/files.js";
import { RunFolder } from "./folder.js";
import { lockHolder } from "./lock.js";

/** What a run under way can be asked for, by another process: it looks between steps. */
export const controls = ["pause", "resume", "save", "stop", "lower-rate"] as const;
export type Control = (typeof controls)[number];

/** What it is divided by when a person lowers the learning rate, as the paper's authors did (section 5). */
export const RATE_DIVISOR = 10;

const asked = z.object({ action: z.enum(controls), time: z.string() });

/**
 * Asks a run that trains for something, from any process that sees its folder: it looks between steps. The run's log says
 * when it did it.
 * @param run folder of the run
 * @throws AlexnetError "not-found" when there is no run, "unsupported" when nothing trains there, "disk"
 */
export function askRun(run: string, action: Control): void {
  const folder = new RunFolder(run);
  folder.readConfig();
  if (lockHolder(folder.lockPath) === undefined)
    throw new AlexnetError("unsupported", `${folder.path}: nothing trains there, so it can't be asked to ${action}`, {
      hint: { advice: "train on", call: "resume", options: { run: folder.path } },
    });
  const path = join(folder.path, ASKED);
  try {
    appendFileSync(path, `${JSON.stringify({ action, time: new Date().toISOString() })}\n`);
  } catch (error) {
    throw explainDisk(error, path);
  }
}

/** Whether a run that trains is paused. */
export function isPaused(folder: RunFolder): boolean {
  return existsSync(join(folder.path, PAUSED)) && lockHolder(folder.lockPath) !== undefined;
}

/** What a run was asked for, as the process that trains it sees it. */
export class RunControl {
  readonly #asked: string;
  readonly #paused: string;

  /** What an earlier session was asked for, and did not do, is forgotten. */
  constructor({ path }: RunFolder) {
    this.#asked = join(path, ASKED);
    this.#paused = join(path, PAUSED);
    this.forget();
  }

  /** What was asked for since the last time, in order. Lines that make no sense are left out. */
  take(): readonly Control[] {
    if (!existsSync(this.#asked)) return [];
    const taken = `${this.#asked}.taken`;
    renameSync(this.#asked, taken); // what is appended from now on makes a new file
    const lines = readFileSync(taken, "utf8").split("\n");
    rmSync(taken);
    return lines.flatMap((line) => {
      const parsed = asked.safeParse(fromJson(line));
      return parsed.success ? [parsed.data.action] : [];
    });
  }

  set paused(paused: boolean) {
    if (paused) writeFileSync(this.#paused, "");
    else rmSync(this.#paused, { force: true });
  }

  forget(): void {
    for (const path of [this.#asked, this.#paused]) rmSync(path, { force: true });
  }
}

const [ASKED, PAUSED] = ["control.jsonl", "paused"];

function fromJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
