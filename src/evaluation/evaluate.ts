import { existsSync } from "node:fs";
import { AlexnetError } from "../errors.js";
import type { Split } from "../network/picture.js";
import { readModelHeader } from "../runs/checkpoint/read.js";
import { RunFolder } from "../runs/folder.js";
import { type Calibration, CalibrationTally } from "../scoring/calibration.js";
import { describePrediction, type PicturePrediction } from "../scoring/prediction.js";
import { type ClassScores, type ConfusionCell, Scorer, type Scores } from "../scoring/scores.js";
import { refuseOtherPictureSize } from "../store/picture-size.js";
import { ensurePrepared, type PreparationOptions } from "../store/preparing/prepare.js";
import { openStore, type Store } from "../store/store.js";
import { checkViewCount } from "../store/views.js";
import { enumerate } from "../text.js";
import { evaluateSplit } from "./evaluate-split.js";
import { modelPath, openTrained, picturesPerBatch, type Trained, type TrainedOptions } from "./open-model.js";

export interface EvaluateOptions extends TrainedOptions {
  /** Folder of a run, or a checkpoint's file. */
  readonly run: string;
  /** A folder of pictures or a prepared store. Default: what the run was trained on. */
  readonly data?: string;
  /** Default "val": the pictures kept out of training. */
  readonly split?: Split | "all";
  /** Of each picture, their outputs averaged: 1, the centre (default); 10, the paper's; see `viewsOf` for others. */
  readonly views?: number;
  /** Pictures a batch. Default as many as make 128 views. */
  readonly batchSize?: number;
  readonly workers?: number;
  readonly onPreparing?: PreparationOptions["onProgress"];
  readonly onProgress?: (done: number, total: number) => void;
  /** Gets each picture, in order. */
  readonly onPrediction?: (prediction: LabelledPrediction) => void;
  readonly signal?: AbortSignal;
}

export interface LabelledPrediction extends PicturePrediction {
  /** As the store names it. */
  readonly file: string;
}

export interface Evaluation extends Scores {
  /** The checkpoint's file. */
  readonly checkpoint: string;
  /** The store. */
  readonly data: string;
  readonly split: Split | "all";
  readonly views: number;
  /** In the order of the outputs. */
  readonly classes: readonly ClassScores[];
  readonly confusion: readonly ConfusionCell[];
  readonly calibration: Calibration;
  /** Pictures, not views, from the first to the last. */
  readonly imagesPerSecond: number;
}

/** What an evaluation is made of, opened. */
export interface EvaluationSetup {
  readonly store: Store;
  readonly trained: Trained;
  close(): Promise<void>;
}

/**
 * Counts how many pictures a trained network gets wrong.
 * @throws AlexnetError "run" when the data's classes are not the run's, naming the difference; "interrupted" when the
 * signal stopped it; "usage" for impossible numbers of views; "data" and "engine" as they come.
 */
export async function evaluate(options: EvaluateOptions): Promise<Evaluation> {
  const setup = await openEvaluation(options);
  try {
    return await runEvaluation(setup, options);
  } finally {
    await setup.close();
  }
}

/** Opens the pictures and the network. @throws as `evaluate`. */
export async function openEvaluation(options: EvaluateOptions): Promise<EvaluationSetup> {
  const { run, views = 1 } = options;
  checkViewCount(views);
  const batchSize = options.batchSize ?? picturesPerBatch(views);
  const store = await openStore(await findStore(options));
  try {
    const trained = await openTrained(run, batchSize * views, options);
    refuseOtherPictureSize(store, trained.model);
    const close = (): Promise<void> => trained.close().finally(() => store.close());
    return { store, trained, close };
  } catch (error) {
    await store.close();
    throw error;
  }
}

export async function runEvaluation(
  { store, trained }: EvaluationSetup,
  options: EvaluateOptions,
): Promise<Evaluation> {
  const { split = "val", views = 1, onProgress, onPrediction, ...rest } = options;
  const { path, model, program } = trained;
  const labels = matchClasses(store, model.classes);
  const splits: readonly Split[] = split === "all" ? ["train", "val"] : [split];
  const total = splits.reduce((sum, name) => sum + store.count(name), 0);
  if (total === 0) throw new AlexnetError("unusable-data", `${store.path}: has no pictures in the split ${split}`);

  const scorer = new Scorer(model.classes);
  const calibration = new CalibrationTally();
  const began = performance.now();
  let before = 0;
  for (const name of splits) {
    const add = (probabilities: Float64Array, label: number, sample: number): void => {
      scorer.add(probabilities, label);
      const prediction = describePrediction(probabilities, { split: name, sample, label });
      calibration.add(prediction);
      onPrediction?.({ ...prediction, file: store.fileName(name, sample) });
    };
    await evaluateSplit(program, store, add, {
      split: name,
      views,
      cropSize: model.network.input.size,
      labels,
      workers: rest.workers,
      signal: rest.signal,
      onProgress: (done) => onProgress?.(before + done, total),
    });
    before += store.count(name);
  }
  return {
    checkpoint: path,
    data: store.path,
    split,
    views,
    ...scorer.scores(),
    classes: scorer.byClass(),
    confusion: scorer.confusion(),
    calibration: calibration.result(),
    imagesPerSecond: total / ((performance.now() - began) / 1000),
  };
}

/** Prepared as the run's own data was, so that its validation pictures are the same ones. */
async function findStore({ run, checkpoint, data, onPreparing, signal }: EvaluateOptions): Promise<string> {
  const folder = new RunFolder(run);
  const own = folder.exists ? folder.readConfig().data : undefined;
  if (data === undefined && own === undefined)
    throw new AlexnetError(
      "invalid-option",
      `${run}: is no run folder that says what it was trained on; name the data`,
    );
  if (data === undefined && own !== undefined && existsSync(own.store)) return own.store;
  return ensurePrepared(data ?? own?.source ?? "", {
    ...own?.preparation,
    size: readModelHeader(modelPath(run, checkpoint ?? "best")).pictureSize,
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
      "classes-differ",
      `${store.path}: its classes are not the network's: ${[
        ...(missing.length > 0 ? [`it lacks ${enumerate(missing, 5)}`] : []),
        ...(unknown.length > 0 ? [`the network does not know ${enumerate(unknown, 5)}`] : []),
      ].join("; ")}`,
    );
  return Int32Array.from(store.classes, (name) => classes.indexOf(name));
}
