import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { z } from "zod";
import { AlexnetError } from "../errors.js";
import type { Split } from "../network/picture.js";
import { parseOptions, path, taskShape, wholeNumber } from "../options.js";
import { RunFolder } from "../runs/folder.js";
import { type Calibration, CalibrationTally } from "../scoring/calibration.js";
import { describePrediction, type PicturePrediction } from "../scoring/prediction.js";
import { type ClassScores, type ConfusionCell, Scorer, type Scores } from "../scoring/scores.js";
import { findOrMakeStore, isInCache } from "../store/cache.js";
import { isStoreFolder } from "../store/database.js";
import { refuseOtherPictureSize } from "../store/picture-size.js";
import type { PreparingEvent } from "../store/preparing/options.js";
import { findingsOf } from "../store/preparing/summary.js";
import { openStore, type Store } from "../store/store.js";
import { checkViewCount } from "../store/views.js";
import { type ProgressEvent, type Task, type TaskOptions, taskOf, type WarningEvent } from "../task.js";
import { enumerate } from "../text.js";
import { evaluateSplit } from "./evaluate-split.js";
import {
  LoadedModel,
  type OpenModelOptions,
  openModelShape,
  picturesPerBatch,
  readPictureSize,
} from "./loaded-model.js";
import { type LeftOut, matchClasses, UNKNOWN } from "./match-classes.js";

/** What is told while a network is evaluated; "prediction" for each picture, in order. */
export type EvaluateEvent =
  | PreparingEvent
  | ProgressEvent
  | WarningEvent
  | ({ readonly kind: "prediction" } & LabelledPrediction);

export interface EvaluatingOptions extends TaskOptions<EvaluateEvent> {
  /**
   * Default "val": the pictures kept out of training. Of a set that isn't divided and that the run was not trained on,
   * "all". "test" are the set's pictures for tests: a folder test/, or archives with test in their names.
   */
  readonly split?: Split | "all" | "test";
  /**
   * Evaluate although the pictures' classes are not the network's: pictures of classes it does not know are left out,
   * and so are the classes without pictures.
   */
  readonly allowMissingClasses?: boolean;
  /** Of Parquet files, the columns of pictures and classes. Default as for training. */
  readonly imageColumn?: string;
  readonly labelColumn?: string;
  /** Views of each picture, their outputs averaged: 1, the centre (default); 10, the paper's; see `viewsOf` for others. */
  readonly views?: number;
  /** Pictures a batch. Default as many as make 128 views. */
  readonly batchSize?: number;
  /** Threads that load pictures. */
  readonly workers?: number;
}

export interface EvaluateOptions extends OpenModelOptions, EvaluatingOptions {
  /** Folder of a run, or a checkpoint's file. */
  readonly run: string;
  /** A folder of pictures or a prepared store. Default: what the run was trained on. */
  readonly data?: string;
}

export const evaluatingShape = {
  ...taskShape<EvaluateEvent>(),
  split: z.enum(["train", "val", "all", "test"]).optional(),
  allowMissingClasses: z.boolean().optional(),
  imageColumn: z.string().optional(),
  labelColumn: z.string().optional(),
  views: wholeNumber(1).optional(),
  batchSize: wholeNumber(1).optional(),
  workers: wholeNumber(1).optional(),
};

export interface LabelledPrediction extends PicturePrediction {
  /** As the store names it. */
  readonly file: string;
}

export interface Evaluation extends Scores {
  /** The checkpoint's file. */
  readonly checkpoint: string;
  /** What was evaluated: the folder or archives, or the store where that was named. */
  readonly data: string;
  /** The prepared pictures. */
  readonly store: string;
  readonly split: Split | "all" | "test";
  readonly views: number;
  /** Share of pictures whose class had the highest probability, 0 to 1. */
  readonly accuracy: number;
  /** Share of pictures whose class was among the five most probable. */
  readonly top5: number;
  /** In the order of the outputs. */
  readonly perClass: readonly ClassScores[];
  /** What was not evaluated, the classes not being the same. */
  readonly leftOut: LeftOut;
  /** The cells of the confusion matrix that aren't 0; `label` and `predicted` count the classes from 0. */
  readonly confusion: readonly ConfusionCell[];
  readonly calibration: Calibration;
  /** Pictures, not views, from the first to the last. */
  readonly imagesPerSecond: number;
}

/** What an evaluation is made of, opened. */
export interface EvaluationSetup {
  readonly store: Store;
  readonly loaded: LoadedModel;
  /** What is evaluated where nobody says so. */
  readonly usualSplit: Split | "all";
  close(): Promise<void>;
}

/**
 * Opens a trained network, counts how many pictures it gets wrong, and closes it.
 * @throws AlexnetError "classes-differ" when the data's classes are not the run's, naming the difference; "interrupted"
 * when the signal stopped it; "invalid-option" for impossible numbers of views; "unusable-data" where there are no
 * pictures; all else as `openModel` and `prepare`.
 *
 * @example
 * const { accuracy, top5 } = await evaluate({ run: "runs/first", views: 10 });
 */
export async function evaluate(options: EvaluateOptions): Promise<Evaluation> {
  parseOptions(
    z.object({ ...openModelShape, ...evaluatingShape, run: path(), data: path().optional() }),
    options,
    "evaluate",
  );
  const setup = await openEvaluation(options, taskOf(options));
  try {
    return await evaluateStore(setup, options, taskOf(options));
  } finally {
    await setup.close();
  }
}

/** `evaluate` by an open model. */
export async function evaluateWith(
  loaded: LoadedModel,
  run: string,
  data: string | undefined,
  options: EvaluatingOptions,
): Promise<Evaluation> {
  parseOptions(z.object(evaluatingShape), options, "evaluate");
  if (data !== undefined) parseOptions(z.object({ data: path() }), { data }, "evaluate");
  checkViewCount(options.views ?? 1);
  const task = taskOf(options);
  const found = await findStore(run, data, options, () => loaded.sizes.pictureSize, task);
  const store = await openStore(found.path);
  try {
    refuseOtherPictureSize(store, loaded.model);
    reportFindings(store, found, task);
    return await evaluateStore({ store, loaded, usualSplit: usualSplit(store, found.isOwn) }, options, task);
  } finally {
    await store.close();
  }
}

/** Opens the pictures and the network. @throws as `evaluate`. */
export async function openEvaluation(options: EvaluateOptions, task: Task<EvaluateEvent>): Promise<EvaluationSetup> {
  const { run, data, views = 1, checkpoint, engine, threads, precision } = options;
  checkViewCount(views);
  const found = await findStore(run, data, options, () => readPictureSize(run, { checkpoint }), task);
  const store = await openStore(found.path);
  try {
    const loaded = await LoadedModel.open(run, { checkpoint, engine, threads, precision });
    refuseOtherPictureSize(store, loaded.model);
    reportFindings(store, found, task);
    const close = (): Promise<void> => loaded.close().finally(() => store.close());
    return { store, loaded, usualSplit: usualSplit(store, found.isOwn), close };
  } catch (error) {
    await store.close();
    throw error;
  }
}

export async function evaluateStore(
  { store, loaded, usualSplit }: Omit<EvaluationSetup, "close">,
  options: EvaluatingOptions,
  task: Task<EvaluateEvent>,
): Promise<Evaluation> {
  const { split = usualSplit, allowMissingClasses = false, views = 1, workers } = options;
  const { batchSize = picturesPerBatch(views) } = options;
  const { path, model, programs } = loaded;
  const splits: readonly Split[] = split === "all" || split === "test" ? ["train", "val"] : [split];
  const { outputs, leftOut } = matchClasses(store, splits, model.classes, nameOf(store), allowMissingClasses);
  const pictures = splits.reduce((sum, name) => sum + store.count(name), 0);
  const total = pictures - leftOut.unknown.reduce((sum, { pictures }) => sum + pictures, 0);
  if (pictures === 0)
    throw new AlexnetError("unusable-data", `${nameOf(store)}: has no pictures in the split ${split}`, {
      hint: { advice: "evaluate others", option: "split", value: "all" },
    });
  if (total === 0)
    throw new AlexnetError(
      "classes-differ",
      `${nameOf(store)}: the network knows none of its classes (${enumerate(store.classes, 5)})`,
    );

  const { program, release } = await programs.acquire(batchSize * views);
  try {
    const scorer = new Scorer(model.classes);
    const calibration = new CalibrationTally();
    const began = performance.now();
    let before = 0;
    for (const name of splits) {
      const add = (probabilities: Float64Array, label: number, sample: number): void => {
        if (label === UNKNOWN) return;
        scorer.add(probabilities, label);
        const prediction = describePrediction(probabilities, { split: name, sample, label });
        calibration.add(prediction);
        task.report({ kind: "prediction", ...prediction, file: store.fileName(name, sample) });
      };
      const report = (event: ProgressEvent): void =>
        task.report({ ...event, done: before + event.done, total: pictures });
      const wanted = { split: name, views, cropSize: model.network.input.size, labels: outputs, workers };
      await evaluateSplit(program, store, add, wanted, { signal: task.signal, report });
      before += store.count(name);
    }
    const scores = scorer.scores();
    return {
      checkpoint: path,
      data: nameOf(store),
      store: store.path,
      split,
      views,
      accuracy: scores.top1Correct / total,
      top5: scores.top5Correct / total,
      ...scores,
      perClass: scorer.byClass(),
      leftOut,
      confusion: scorer.confusion(),
      calibration: calibration.result(),
      imagesPerSecond: total / ((performance.now() - began) / 1000),
    };
  } finally {
    release();
  }
}

/** What a person should know of pictures that the run was not trained on. */
function reportFindings({ info, path }: Store, { isOwn }: FoundStore, { report }: Task<EvaluateEvent>): void {
  if (isOwn || !isInCache(path)) return;
  for (const problem of findingsOf(info, path)) report({ kind: "warning", problem, hints: [] });
}

interface FoundStore {
  readonly path: string;
  /** Whether it has the pictures that the run was trained on. */
  readonly isOwn: boolean;
}

/**
 * The store of `data`. The run's own is prepared as it was for training, so that its validation pictures are the same
 * ones; of another set that isn't divided none are set apart, nor of pictures for tests.
 */
async function findStore(
  run: string,
  data: string | undefined,
  { split, imageColumn, labelColumn }: EvaluatingOptions,
  pictureSize: () => number,
  task: Task<EvaluateEvent>,
): Promise<FoundStore> {
  const folder = new RunFolder(run);
  const own = folder.exists ? folder.readConfig().data : undefined;
  if (data === undefined && own === undefined)
    throw new AlexnetError("invalid-option", `${run}: is no run folder that says what it was trained on`, {
      hint: { advice: "name the pictures", option: "data" },
    });
  const part = split === "test" ? split : undefined;
  const columns = imageColumn ?? labelColumn;
  const isAsTrained = data === undefined && part === undefined && columns === undefined;
  if (isAsTrained && own !== undefined && existsSync(own.store)) return { path: own.store, isOwn: true };
  const source = data ?? own?.source ?? "";
  if (data === undefined && !existsSync(source))
    throw new AlexnetError("not-found", `${run}: its pictures are no longer at ${source}`, {
      hint: { advice: "name the pictures", option: "data" },
    });
  if (part !== undefined && isStoreFolder(source))
    throw new AlexnetError("invalid-option", `${source}: a prepared store has no pictures for tests`, {
      hint: { advice: "name the folder or archives that have them", option: "data" },
    });
  const isOwn = own !== undefined && [own.source, own.store].some((path) => resolve(path) === resolve(source));
  const preparation = {
    ...own?.preparation,
    ...(isOwn && columns === undefined ? {} : { imageColumn, labelColumn }),
    ...(isOwn && part === undefined ? {} : { valFraction: 0 }),
    size: pictureSize(),
    part,
  };
  return { path: await findOrMakeStore(source, preparation, task), isOwn };
}

/** Pictures that were trained on are evaluated only when asked for. */
function usualSplit(store: Store, isOwn: boolean): Split | "all" {
  return isOwn || store.count("val") > 0 ? "val" : "all";
}

/** How people know a store: by what they named, unless that was itself. */
function nameOf({ path, info }: Store): string {
  return isInCache(path) ? info.source.path : path;
}
