import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { basename, join, resolve, sep } from "node:path";
import { AlexnetError } from "../errors.js";
import { checkpointPath, listCheckpoints } from "../runs/checkpoint/keep.js";
import { isPaused } from "../runs/control.js";
import { RunFolder } from "../runs/folder.js";
import { summariseRun } from "../runs/list.js";
import { type EpochRow, type MetricsRow, readMetrics, type StepRow } from "../runs/metrics.js";
import { errors } from "../scoring/scores.js";
import type { CheckpointEntry, RunCard, RunDetails } from "./api-types.js";

const CURVE = 40; // places of a card's curve
const WARNINGS = 50;

/**
 * The runs below a folder, by ids that say nothing of paths: an address names an id, and only what the folder itself
 * listed has one. Folders that lead out of it (links) are left out.
 */
export class Runs {
  /** An absolute path. */
  readonly root: string;
  readonly #cards = new Map<string, { readonly key: string; readonly card: RunCard }>();

  /** @param root a folder of runs, or one run's */
  constructor(root: string) {
    this.root = resolve(root);
  }

  /** Those that changed last first. */
  list(): readonly RunCard[] {
    return [...this.#folders()]
      .map(([id, folder]) => this.#card(id, folder))
      .sort((a, b) => Date.parse(b.changed) - Date.parse(a.changed));
  }

  /** @throws AlexnetError "not-found" */
  folder(id: string): RunFolder {
    const found = this.#folders().get(id);
    if (found === undefined) throw new AlexnetError("not-found", "there is no such run here");
    return found;
  }

  details(id: string): RunDetails {
    const folder = this.folder(id);
    return {
      ...this.#card(id, folder),
      config: folder.readConfig(),
      classes: folder.readClasses(),
      checkpoints: checkpointsOf(folder),
      warnings: warningsOf(folder),
    };
  }

  /** The rows from step `since` on, at most about `points` of steps: neighbours are averaged. All epochs' rows. */
  metrics(id: string, { since, points }: { readonly since: number; readonly points: number }): readonly MetricsRow[] {
    const rows = readMetrics(this.folder(id).file("metrics.jsonl")).filter(({ step }) => step >= since);
    return thinned(rows, points);
  }

  /** The file of a checkpoint. @throws AlexnetError "not-found" */
  checkpoint(id: string, name: string): string {
    const folder = this.folder(id);
    if (name !== "best" && name !== "last" && !checkpointsOf(folder).some((entry) => entry.name === name))
      throw new AlexnetError("not-found", `the run has no checkpoint named ${name}`);
    const path = name === "best" || name === "last" ? undefined : join(folder.checkpoints, `${name}.safetensors`);
    return path ?? checkpointPath(folder.checkpoints, name === "best" ? "best" : "last");
  }

  #folders(): ReadonlyMap<string, RunFolder> {
    const own = new RunFolder(this.root);
    if (own.exists) return new Map([[idOf(basename(this.root)), own]]);
    if (!existsSync(this.root)) return new Map();
    const within = realpathSync(this.root) + sep;
    const found = new Map<string, RunFolder>();
    for (const name of readdirSync(this.root)) {
      const folder = new RunFolder(join(this.root, name));
      if (folder.exists && (realpathSync(folder.path) + sep).startsWith(within)) found.set(idOf(name), folder);
    }
    return found;
  }

  /** Read again only where something has changed: there may be hundreds of runs. */
  #card(id: string, folder: RunFolder): RunCard {
    const files = [folder.file("metrics.jsonl"), folder.file("log.txt"), folder.file("config.json"), folder.lockPath];
    const paused = isPaused(folder);
    const key = `${files.map((path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0).join(" ")} ${paused}`;
    const known = this.#cards.get(id);
    const isTraining = known?.card.state.startsWith("training") || known?.card.state.startsWith("paused");
    if (known?.key === key && !isTraining) return known.card;
    const summary = summariseRun(folder);
    const state = paused ? summary.state.replace(/^training/, "paused") : summary.state;
    const card = {
      ...summary,
      state,
      id,
      name: basename(folder.path),
      run: basename(folder.path),
      curve: curveOf(folder),
    };
    this.#cards.set(id, { key, card });
    return card;
  }
}

/** Plain names stay as they are; others become a number, so that an id is safe in any address. */
export function idOf(name: string): string {
  if (/^[\w-][\w.-]*$/.test(name)) return name;
  return createHash("sha256").update(name.normalize("NFC")).digest("hex").slice(0, 16);
}

function curveOf(folder: RunFolder): readonly number[] {
  try {
    const epochs = readMetrics(folder.file("metrics.jsonl")).filter((row): row is EpochRow => row.kind === "epoch");
    const all = epochs.map(({ validation, top1 }) => (validation === null ? 1 - top1 : errors(validation).top1));
    if (all.length <= CURVE) return all;
    return Array.from({ length: CURVE }, (_, i) => all[Math.round((i * (all.length - 1)) / (CURVE - 1))] ?? 0);
  } catch (error) {
    if (error instanceof AlexnetError) return [];
    throw error;
  }
}

function checkpointsOf(folder: RunFolder): readonly CheckpointEntry[] {
  return listCheckpoints(folder.checkpoints);
}

function warningsOf(folder: RunFolder): readonly string[] {
  const log = folder.file("log.txt");
  if (!existsSync(log)) return [];
  return readFileSync(log, "utf8")
    .split("\n")
    .flatMap((line) => {
      const [, text] = /^\S+ warning: (.*)$/.exec(line) ?? [];
      return text === undefined ? [] : [text];
    })
    .slice(-WARNINGS);
}

/** Means of neighbours' losses and shares in place of single rows, where there are more than `points`. */
function thinned(rows: readonly MetricsRow[], points: number): readonly MetricsRow[] {
  const steps = rows.filter((row): row is StepRow => row.kind === "step");
  const together = Math.ceil(steps.length / points);
  if (together <= 1) return rows;
  const joined: MetricsRow[] = [];
  let open: StepRow[] = [];
  const close = (): void => {
    const last = open.at(-1);
    if (last !== undefined) joined.push({ ...last, ...meansOf(open) });
    open = [];
  };
  for (const row of rows) {
    if (row.kind === "epoch") {
      close();
      joined.push(row);
    } else {
      open.push(row);
      if (open.length === together) close();
    }
  }
  close();
  return joined;
}

function meansOf(rows: readonly StepRow[]): Pick<StepRow, "loss" | "top1" | "imagesPerSecond" | "waiting"> {
  const mean = (of: (row: StepRow) => number): number => rows.reduce((sum, row) => sum + of(row), 0) / rows.length;
  return {
    loss: mean(({ loss }) => loss),
    top1: mean(({ top1 }) => top1),
    imagesPerSecond: mean(({ imagesPerSecond }) => imagesPerSecond),
    waiting: mean(({ waiting }) => waiting),
  };
}
