import { existsSync } from "node:fs";
import { ensurePrepared, type PreparationOptions } from "../dataset/prepare.js";
import { openStore, type Split, type Store } from "../dataset/store.js";
import { AlexnetError } from "../errors.js";
import { RunFolder } from "../training/run-folder.js";
import { evaluateSplit, type ViewSet, viewSets } from "./evaluate-split.js";
import { type ClassScores, Scorer, type Scores } from "./scores.js";
import { openTrained, type TrainedOptions } from "./trained.js";

export interface EvaluateOptions extends TrainedOptions {
  /** Folder of a run, or a checkpoint's file. */
  readonly run: string;
  /** A folder of pictures or a prepared store. Default: what the run was trained on. */
  readonly data?: string | undefined;
  /** Default "val": the pictures kept out of training. */
  readonly split?: Split | "all" | undefined;
  /** "centre" (default), or "ten" views whose outputs are averaged (paper section 4.1). */
  readonly views?: ViewSet | undefined;
  /** Pictures a batch. Default 32. */
  readonly batchSize?: number | undefined;
  readonly workers?: number | undefined;
  readonly onPreparing?: PreparationOptions["onProgress"] | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Evaluation extends Scores {
  /** The checkpoint's file. */
  readonly checkpoint: string;
  /** The store. */
  readonly data: string;
  readonly split: Split | "all";
  readonly views: ViewSet;
  readonly classes: readonly ClassScores[];
}

/**
 * Counts how many pictures a trained network gets wrong.
 * @throws AlexnetError "run" when the data's classes are not the run's, naming the difference; "interrupted" when the
 * signal stopped it; "data" and "engine" as they come.
 */
export async function evaluate(options: EvaluateOptions): Promise<Evaluation> {
  const { run, split = "val", views = "centre", batchSize = 32, signal, onProgress } = options;
  const store = await openStore(await findStore(options));
  try {
    const trained = await openTrained(run, batchSize * viewSets[views], options);
    try {
      const { path, model } = trained;
      const labels = matchClasses(store, model.classes);
      const scorer = new Scorer(model.classes);
      const splits: readonly Split[] = split === "all" ? ["train", "val"] : [split];
      const total = splits.reduce((sum, name) => sum + store.count(name), 0);
      if (total === 0) throw new AlexnetError("data", `${store.path}: has no pictures in the split ${split}`);
      let before = 0;
      for (const name of splits) {
        await evaluateSplit(trained.program, store, scorer, {
          split: name,
          views,
          cropSize: model.network.input.size,
          labels,
          workers: options.workers,
          signal,
          onProgress: (done) => onProgress?.(before + done, total),
        });
        before += store.count(name);
      }
      return { checkpoint: path, data: store.path, split, views, ...scorer.scores(), classes: scorer.byClass() };
    } finally {
      await trained.close();
    }
  } finally {
    await store.close();
  }
}

/** Prepared as the run's own data was, so that its validation pictures are the same ones. */
async function findStore({ run, data, onPreparing, signal }: EvaluateOptions): Promise<string> {
  const folder = new RunFolder(run);
  const own = folder.exists ? folder.readConfig().data : undefined;
  if (data === undefined && own === undefined)
    throw new AlexnetError("usage", `${run}: is no run folder that says what it was trained on; name the data`);
  if (data === undefined && own !== undefined && existsSync(own.store)) return own.store;
  return ensurePrepared(data ?? own?.source ?? "", {
    ...own?.preparation,
    ...(onPreparing && { onProgress: onPreparing }),
    ...(signal && { signal }),
  });
}

/** For each of the store's labels, the network's output. */
function matchClasses(store: Store, classes: readonly string[]): Int32Array {
  const missing = classes.filter((name) => !store.classes.includes(name));
  const unknown = store.classes.filter((name) => !classes.includes(name));
  if (missing.length > 0 || unknown.length > 0)
    throw new AlexnetError(
      "run",
      `${store.path}: its classes are not the network's: ${[
        ...(missing.length > 0 ? [`it lacks ${someOf(missing)}`] : []),
        ...(unknown.length > 0 ? [`the network does not know ${someOf(unknown)}`] : []),
      ].join("; ")}`,
    );
  return Int32Array.from(store.classes, (name) => classes.indexOf(name));
}

/** "crab, crow and 7 more" */
export function someOf(names: readonly string[]): string {
  const shown = names.slice(0, 5).join(", ");
  return names.length > 5 ? `${shown} and ${names.length - 5} more` : shown;
}
