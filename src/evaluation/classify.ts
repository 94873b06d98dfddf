import { centreView, tenViews } from "../dataset/views.js";
import type { Batch, View } from "../engine/engine.js";
import { AlexnetError } from "../errors.js";
import { listPictures } from "../images/list.js";
import { loadPicture, PICTURE_BYTES } from "../images/picture.js";
import { averageViews, type ViewSet, viewSets } from "./evaluate-split.js";
import { highest } from "./scores.js";
import { openTrained, type Trained, type TrainedOptions } from "./trained.js";

export interface ClassifyOptions extends TrainedOptions {
  /** Folder of a run, or a checkpoint's file. */
  readonly run: string;
  /** Picture files; a folder stands for the pictures below it. */
  readonly pictures: readonly string[];
  /** How many of the most probable classes. Default 5. */
  readonly top?: number | undefined;
  /** "centre" (default), or "ten" views whose outputs are averaged. */
  readonly views?: ViewSet | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Prediction {
  readonly class: string;
  readonly probability: number;
}

/** Of one file: its most probable classes, the most probable first, or why it can't be read. */
export type Classification =
  | { readonly file: string; readonly predictions: readonly Prediction[] }
  | { readonly file: string; readonly error: string };

const VIEWS_A_BATCH = 40;

/**
 * What a trained network takes pictures for, in their order, each as soon as it is known. Files that can't be read
 * are results too.
 * @throws AlexnetError "run" when there is no trained network, "interrupted" when the signal stopped it.
 */
export async function* classify(options: ClassifyOptions): AsyncGenerator<Classification, void, undefined> {
  const { run, views = "centre", top = 5, signal } = options;
  const files = (await Promise.all(options.pictures.map(filesOf))).flat();
  if (files.length === 0) return;
  const perBatch = Math.max(1, Math.min(files.length, Math.floor(VIEWS_A_BATCH / viewSets[views])));
  const trained = await openTrained(run, perBatch * viewSets[views], options);
  try {
    let next = loadFiles(files.slice(0, perBatch));
    for (let start = 0; start < files.length; start += perBatch) {
      const loaded = await next;
      next = loadFiles(files.slice(start + perBatch, start + 2 * perBatch)); // decoded while this batch is classified
      yield* await classifyBatch(trained, loaded, views, top);
      if (signal?.aborted)
        throw new AlexnetError("interrupted", "stopped; not all pictures are classified", { cause: signal.reason });
    }
  } finally {
    await trained.close();
  }
}

type Unreadable = { readonly file: string; readonly error: string };
type Loaded = { readonly file: string; readonly picture: Uint8Array } | Unreadable;

async function filesOf(path: string): Promise<readonly (string | Unreadable)[]> {
  try {
    const files = await listPictures([path]);
    return files.length > 0 ? files : [{ file: path, error: `${path}: no pictures in this folder` }];
  } catch (error) {
    return [{ file: path, error: messageOf(error) }];
  }
}

function loadFiles(files: readonly (string | Unreadable)[]): Promise<readonly Loaded[]> {
  const loading = Promise.all(files.map((file) => (typeof file === "string" ? loadFile(file) : file)));
  loading.catch(() => {}); // counts when it is waited for
  return loading;
}

async function loadFile(file: string): Promise<Loaded> {
  try {
    return { file, picture: await loadPicture(file) };
  } catch (error) {
    return { file, error: messageOf(error) };
  }
}

/** The message of an error that a user's file can cause; any other goes on up. */
function messageOf(error: unknown): string {
  if (error instanceof AlexnetError && error.code === "data") return error.message;
  throw error;
}

async function classifyBatch(
  { model, program }: Trained,
  loaded: readonly Loaded[],
  views: ViewSet,
  top: number,
): Promise<readonly Classification[]> {
  const pictures = loaded.flatMap((item) => ("picture" in item ? [item.picture] : []));
  const averages =
    pictures.length === 0
      ? []
      : averageViews(
          await program.predict(batchOf(pictures, views, model.network.input.size)),
          viewSets[views],
          model.classes.length,
        );
  const results = averages.values();
  return loaded.map((item) => {
    if ("error" in item) return item;
    const probabilities = results.next().value ?? new Float64Array();
    return {
      file: item.file,
      predictions: highest(probabilities, top).map((output) => ({
        class: model.classes[output] ?? "",
        probability: probabilities[output] ?? 0,
      })),
    };
  });
}

function batchOf(pictures: readonly Uint8Array[], views: ViewSet, cropSize: number): Batch {
  const all = new Uint8Array(new SharedArrayBuffer(pictures.length * PICTURE_BYTES));
  pictures.forEach((picture, i) => {
    all.set(picture, i * PICTURE_BYTES);
  });
  const seen = pictures.flatMap((_, i): View[] =>
    views === "ten" ? tenViews(cropSize, i) : [centreView(cropSize, i)],
  );
  return { pictures: all, views: seen, labels: new Int32Array(seen.length) };
}
