import { readdirSync, statSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { AlexnetError } from "../errors.js";
import { errors } from "../scoring/scores.js";
import { checkpointPath } from "./checkpoint/keep.js";
import { readOrigin } from "./checkpoint/read.js";
import { RunFolder } from "./folder.js";
import { lockHolder } from "./lock.js";
import { type EpochRow, type MetricsRow, readMetrics } from "./metrics.js";
import type { RunConfig } from "./settings.js";

export interface RunSummary {
  readonly run: string;
  /** "ended: all 30 epochs are done", "training (process 4711)", "stopped", "stopped before the first checkpoint", "damaged: …" */
  readonly state: string;
  /** Finished and planned. */
  readonly epoch: number;
  readonly epochs: number;
  readonly steps: number;
  /** The lowest, a share; on the validation pictures if there are any. */
  readonly bestError?: number;
  /** Of the epoch with the lowest error, on the validation pictures: mean recall and macro F1. */
  readonly bestMeanRecall?: number;
  readonly bestMacroF1?: number;
  readonly imagesPerSecond?: number;
  /** When something was last recorded: "2026-05-30T12:00:00.000Z". */
  readonly changed: string;
}

/**
 * The runs in a folder, those that changed last first. Damaged ones are listed too, with what is wrong as their state.
 * @throws AlexnetError "not-found" when there is no such folder.
 */
export function listRuns(folder: string): readonly RunSummary[] {
  let names: readonly string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    throw new AlexnetError("not-found", `${folder}: no such folder; training makes runs in runs/`, { cause: error });
  }
  return names
    .map((name) => new RunFolder(join(folder, name)))
    .filter((run) => run.exists)
    .map(summariseRun)
    .sort((a, b) => Date.parse(b.changed) - Date.parse(a.changed));
}

export function summariseRun(folder: RunFolder): RunSummary {
  const changed = lastChange(folder);
  try {
    const config = folder.readConfig();
    const metrics = readMetrics(folder.file("metrics.jsonl"));
    const epochs = metrics.filter((row): row is EpochRow => row.kind === "epoch");
    return {
      run: folder.path,
      epoch: epochs.at(-1)?.epoch ?? 0,
      epochs: config.recipe.epochs,
      steps: metrics.at(-1)?.step ?? 0,
      ...bestOf(epochs),
      imagesPerSecond: metrics.at(-1)?.imagesPerSecond,
      state: stateOf(folder),
      changed,
    };
  } catch (error) {
    if (!(error instanceof AlexnetError)) throw error;
    const state = `damaged: ${error.message}`;
    return { run: folder.path, epoch: 0, epochs: 0, steps: 0, state, changed };
  }
}

export interface RunRecords {
  readonly summary: RunSummary;
  readonly config: RunConfig;
  readonly metrics: readonly MetricsRow[];
}

/** @throws AlexnetError "not-found" when there is no run, "damaged-file" when its files are. */
export function readRun(path: string): RunRecords {
  const folder = new RunFolder(path);
  const config = folder.readConfig();
  return { summary: summariseRun(folder), config, metrics: readMetrics(folder.file("metrics.jsonl")) };
}

/** The first epoch of the lowest error. */
function bestOf(epochs: readonly EpochRow[]): Pick<RunSummary, "bestError" | "bestMeanRecall" | "bestMacroF1"> {
  const errorOf = ({ validation, top1 }: EpochRow) => (validation === null ? 1 - top1 : errors(validation).top1);
  const [first, ...others] = epochs;
  if (first === undefined) return {};
  const best = others.reduce((lowest, epoch) => (errorOf(epoch) < errorOf(lowest) ? epoch : lowest), first);
  const { meanRecall, macroF1 } = best.validation ?? {};
  return { bestError: errorOf(best), bestMeanRecall: meanRecall, bestMacroF1: macroF1 };
}

function stateOf(folder: RunFolder): string {
  const holder = lockHolder(folder.lockPath);
  if (holder !== undefined)
    return `training (process ${holder.process}${holder.host === hostname() ? "" : ` on ${holder.host}`})`;
  try {
    const { ended } = readOrigin(checkpointPath(folder.checkpoints, "last")).state;
    return ended === null ? "stopped" : `ended: ${ended}`;
  } catch (error) {
    if (!(error instanceof AlexnetError)) throw error;
    return error.code === "not-found"
      ? "stopped before the first checkpoint"
      : "stopped; its last checkpoint is damaged";
  }
}

function lastChange(folder: RunFolder): string {
  const found = statSync(folder.file("log.txt"), { throwIfNoEntry: false });
  return (found ?? statSync(folder.file("config.json"))).mtime.toISOString();
}
