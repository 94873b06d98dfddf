import { AlexnetError } from "../errors.js";
import { listPictures } from "../images/list.js";
import { pictureSizeOf } from "../network/picture.js";
import { readModelHeader } from "../runs/checkpoint/read.js";
import { highest } from "../scoring/scores.js";
import { type FileBatch, fileBatches } from "../store/reading/file-batches.js";
import { checkViewCount, viewsOf } from "../store/views.js";
import { averageViews } from "./evaluate-split.js";
import { modelPath, openTrained, picturesPerBatch, type Trained, type TrainedOptions } from "./open-model.js";

export interface ClassifyOptions extends TrainedOptions {
  /** Folder of a run, or a checkpoint's file. */
  readonly run: string;
  /** Picture files; a folder stands for the pictures below it. */
  readonly pictures: readonly string[];
  /** How many of the most probable classes. Default 5. */
  readonly top?: number;
  /** Of each picture, their outputs averaged: 1, the centre (default); 10, the paper's; see `viewsOf` for others. */
  readonly views?: number;
  /** Threads that decode. */
  readonly workers?: number;
  readonly signal?: AbortSignal;
}

export interface Prediction {
  readonly class: string;
  readonly probability: number;
}

export interface Unreadable {
  readonly file: string;
  readonly error: string;
}

/** Of one file: its most probable classes, the most probable first, or why it can't be read. */
export type Classification = { readonly file: string; readonly predictions: readonly Prediction[] } | Unreadable;

/**
 * What a trained network takes pictures for, in their order, each as soon as it is known. Files that can't be read
 * are results too.
 * @throws AlexnetError "run" when there is no trained network, "interrupted" when the signal stopped it, "usage" for
 * impossible numbers of views.
 */
export async function* classify(options: ClassifyOptions): AsyncGenerator<Classification, void, undefined> {
  const { files, missing } = await findPictures(options.pictures);
  yield* missing;
  yield* classifyFiles(files, options);
}

/** `classify` of files that are known. */
export async function* classifyFiles(
  files: readonly string[],
  options: Omit<ClassifyOptions, "pictures">,
): AsyncGenerator<Classification, void, undefined> {
  const { run, views = 1, top = 5, workers, signal } = options;
  checkViewCount(views);
  if (files.length === 0) return;
  const size = Math.min(files.length, picturesPerBatch(views));
  const { pictureSize } = readModelHeader(modelPath(run, options.checkpoint ?? "best"));
  const batches = fileBatches(files, { size, pictureSize, workers, signal });
  const first = batches.next(); // decoded while the network gets ready
  first.catch(() => {}); // counts when it is waited for
  try {
    const trained = await openTrained(run, size * views, options);
    try {
      for (let next = await first; !next.done; next = await batches.next()) {
        yield* await classifyBatch(trained, next.value, views, top);
        next.value.release();
      }
    } finally {
      await trained.close();
    }
  } finally {
    await batches.return(undefined);
  }
}

/** The picture files that paths stand for, and the paths that stand for none. */
export async function findPictures(
  paths: readonly string[],
): Promise<{ readonly files: readonly string[]; readonly missing: readonly Unreadable[] }> {
  const files: string[] = [];
  const missing: Unreadable[] = [];
  for (const path of paths) {
    try {
      const found = await listPictures([path]);
      if (found.length === 0) missing.push({ file: path, error: `${path}: no pictures in this folder` });
      for (const file of found) files.push(file);
    } catch (error) {
      if (!(error instanceof AlexnetError && error.code === "not-found")) throw error;
      missing.push({ file: path, error: error.message });
    }
  }
  return { files, missing };
}

async function classifyBatch(
  { model, program }: Trained,
  { pictures, files, outcomes, readable }: FileBatch,
  views: number,
  top: number,
): Promise<readonly Classification[]> {
  const sizes = { pictureSize: pictureSizeOf(model.preprocessing), cropSize: model.network.input.size };
  const seen = readable.flatMap((i) => viewsOf(views, sizes, i));
  const outputs =
    seen.length === 0
      ? new Float32Array()
      : await program.predict({ pictures, views: seen, labels: new Int32Array(seen.length) });
  const averages = averageViews(outputs, views, model.classes.length).values();
  return files.map((file, i) => {
    const error = outcomes[i];
    if (error !== null) return { file, error };
    const probabilities = averages.next().value ?? new Float64Array();
    return {
      file,
      predictions: highest(probabilities, top).map((output) => ({
        class: model.classes[output] ?? "",
        probability: probabilities[output] ?? 0,
      })),
    };
  });
}
