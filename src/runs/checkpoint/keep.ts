import { existsSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { join } from "node:path";
import { AlexnetError } from "../../errors.js";
import { pointTo, UNFINISHED } from "../../system/files.js";
import { Thread } from "../../system/threads/call.js";
import { moving } from "../../system/threads/protocol.js";
import type { Checkpoint } from "./format.js";
import { readCheckpoint } from "./read.js";
import type { CheckpointCalls } from "./thread.js";

export interface Saved {
  readonly step: number;
  readonly bytes: number;
  /** From the call to a file that can't be lost. */
  readonly seconds: number;
}

/**
 * The checkpoints of a run: `step-<steps>.safetensors`, and the links `last` and `best` (the lowest validation error).
 * The newest few and the best are kept.
 */
export class Checkpoints {
  constructor(
    readonly folder: string,
    readonly keep: number,
  ) {}

  /**
   * The newest checkpoint that is whole.
   * @param onDamaged called for each newer one that isn't
   * @throws AlexnetError "damaged-file" when there are some and none is whole.
   */
  newest(onDamaged: (error: AlexnetError) => void): Checkpoint | undefined {
    const steps = stepsIn(this.folder).reverse();
    for (const step of steps) {
      try {
        return readCheckpoint(join(this.folder, checkpointFileName(step)));
      } catch (error) {
        if (!(error instanceof AlexnetError)) throw error;
        onDamaged(error);
      }
    }
    if (steps.length === 0) return undefined;
    throw new AlexnetError("damaged-file", `${this.folder}: none of its ${steps.length} checkpoints is whole`);
  }

  /** Written on a thread of its own. The checkpoint's arrays change hands: they are empty afterwards. */
  async save(checkpoint: Checkpoint): Promise<Saved> {
    const began = performance.now();
    const { step } = checkpoint.origin.state;
    const bytes = await writeOnThread(join(this.folder, checkpointFileName(step)), checkpoint);
    this.settle(step, checkpoint.origin.state.best?.step);
    return { step, bytes, seconds: (performance.now() - began) / 1000 };
  }

  /** Points `last` and `best` to these steps' files and removes what is no longer kept, and what a crash left. */
  settle(last: number, best: number | undefined): void {
    point(this.folder, "last", last);
    if (best !== undefined) point(this.folder, "best", best);
    const kept = new Set(stepsIn(this.folder).slice(-this.keep));
    for (const step of [last, best]) if (step !== undefined) kept.add(step);
    for (const name of readdirSync(this.folder)) {
      const step = stepOf(name);
      if (name.endsWith(UNFINISHED) || (step !== undefined && !kept.has(step))) rmSync(join(this.folder, name));
    }
  }
}

export type CheckpointName = "best" | "last";

/**
 * The path of a run's checkpoint; of "best" before the first epoch has ended, the last.
 * @throws AlexnetError "not-found" when there is none yet.
 */
export function checkpointPath(folder: string, name: CheckpointName): string {
  for (const candidate of [name, "last"]) {
    const path = join(folder, linkName(candidate));
    if (existsSync(path)) return join(folder, readlinkSync(path));
  }
  const newest = stepsIn(folder).at(-1);
  if (newest !== undefined) return join(folder, checkpointFileName(newest));
  throw new AlexnetError("not-found", `${folder}: holds no checkpoint yet`);
}

function point(folder: string, name: string, step: number): void {
  if (existsSync(join(folder, checkpointFileName(step))))
    pointTo(join(folder, linkName(name)), checkpointFileName(step));
}

/** A folder's checkpoints, the earliest first: their names without extension. */
export function listCheckpoints(folder: string): readonly { readonly name: string; readonly step: number }[] {
  return stepsIn(folder).map((step) => ({ name: checkpointFileName(step).replace(/\.safetensors$/, ""), step }));
}

/** The steps of a folder's checkpoints, ascending. */
function stepsIn(folder: string): number[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .flatMap((name) => stepOf(name) ?? [])
    .sort((a, b) => a - b);
}

export function checkpointFileName(step: number): string {
  return `step-${String(step).padStart(9, "0")}.safetensors`;
}

function linkName(name: string): string {
  return `${name}.safetensors`;
}

function stepOf(name: string): number | undefined {
  const digits = /^step-(\d{9,})\.safetensors$/.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** One thread for one file: what it held is the system's again when it ends. The checkpoint's arrays move to it. */
async function writeOnThread(path: string, checkpoint: Checkpoint): Promise<number> {
  const script = new URL("./thread.js", import.meta.url);
  const name = "the thread that writes checkpoints";
  const thread = new Thread<undefined, CheckpointCalls>(script, undefined, { name });
  const { model, momentum } = checkpoint;
  try {
    const { write } = await thread.ready;
    return await write(path, moving(checkpoint, [model.parameters.buffer, momentum.buffer]));
  } finally {
    await thread.close();
  }
}
