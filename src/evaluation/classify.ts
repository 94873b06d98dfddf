import { z } from "zod";
import type { Program } from "../engine/engine.js";
import { AlexnetError } from "../errors.js";
import { listPictures } from "../images/list.js";
import { OtherFiles } from "../images/other-files.js";
import { parseOptions, path, taskShape, wholeNumber } from "../options.js";
import { highest } from "../scoring/scores.js";
import { type FileBatch, fileBatches, type PictureInput } from "../store/reading/file-batches.js";
import { checkViewCount, viewsOf } from "../store/views.js";
import { type Task, type TaskOptions, taskOf, throwIfStopped, type WarningEvent } from "../task.js";
import { averageViews } from "./evaluate-split.js";
import {
  LoadedModel,
  type OpenModelOptions,
  openModelShape,
  picturesPerBatch,
  readPictureSize,
} from "./loaded-model.js";
import type { PictureBatcher } from "./picture-batcher.js";
import { inputOf, loadInput, nameOf, type PictureSource } from "./picture-source.js";

/** What is asked about pictures. */
export interface ClassifyingOptions {
  /** How many of the most probable classes. Default 5. */
  readonly top?: number;
  /** Views of each picture, their outputs averaged: 1, the centre (default); 10, the paper's; see `viewsOf` for others. */
  readonly views?: number;
  /** Ends the work as soon as it can be ended; the call then throws AlexnetError "interrupted". */
  readonly signal?: AbortSignal;
}

export interface ClassifyAllOptions extends ClassifyingOptions, TaskOptions<WarningEvent> {
  /** Threads that decode. Default: a quarter of the machine's cores. */
  readonly workers?: number;
}

export interface ClassifyOptions extends OpenModelOptions, ClassifyAllOptions {
  /** Folder of a run, or a checkpoint's file. */
  readonly run: string;
  /** Pictures in any form; a folder stands for the pictures below it. */
  readonly pictures: readonly PictureSource[];
}

export const classifyingShape = {
  top: wholeNumber(1).optional(),
  views: wholeNumber(1).optional(),
  workers: wholeNumber(1).optional(),
  signal: taskShape().signal,
};
const classifyAllShape = { ...classifyingShape, ...taskShape<WarningEvent>() };
const optionsShape = { ...openModelShape, ...classifyAllShape, run: path(), pictures: z.array(z.unknown()) };

/** A class that a picture may be of. */
export interface Prediction {
  readonly class: string;
  /** 0 to 1; those of all classes sum to 1. */
  readonly probability: number;
}

export interface Unreadable {
  /** The picture's path, or its place among those given: "pictures[2]". */
  readonly file: string;
  readonly error: string;
}

/** What one picture is taken for, the most probable class first, or why it can't be read. */
export type Classification = { readonly file: string; readonly predictions: readonly Prediction[] } | Unreadable;

/**
 * Opens a trained network, says what it takes pictures for, in their order, and closes it. To classify more than once,
 * open it once: `openModel`.
 * @throws AlexnetError as `openModel` and its `classifyAll`.
 *
 * @example
 * for await (const row of classify({ run: "runs/first", pictures: ["photos/val"] })) console.log(row);
 */
export async function* classify(options: ClassifyOptions): AsyncGenerator<Classification, void, undefined> {
  parseOptions(z.object(optionsShape), options, "classify");
  const { run, pictures, top, views, workers, signal, onEvent, ...opening } = options;
  const source = fileOf(run, opening);
  source.pictureSize(); // a run that isn't there is said before pictures that aren't
  const found = await findInputs(pictures, taskOf({ signal, onEvent }));
  yield* classifyFound(found, source, { top, views, workers, signal }, closes);
}

/** Where the model comes from. Its pictures' size is known before it is open, so that they are decoded meanwhile. */
interface ModelSource {
  pictureSize(): number;
  open(): Promise<LoadedModel>;
}

function fileOf(run: string, options: OpenModelOptions): ModelSource {
  let size: number | undefined;
  return {
    pictureSize() {
      size ??= readPictureSize(run, options);
      return size;
    },
    open: () => LoadedModel.open(run, options),
  };
}

function openOne(loaded: LoadedModel): ModelSource {
  return { pictureSize: () => loaded.sizes.pictureSize, open: async () => loaded };
}

/** What becomes of the model once all is classified: an open one stays open. */
type AtEnd = (loaded: LoadedModel) => Promise<void>;
const closes: AtEnd = (loaded) => loaded.close();
const staysOpen: AtEnd = async () => {};

/** `classify` by an open model. */
export async function* classifyAll(
  loaded: LoadedModel,
  pictures: Iterable<PictureSource>,
  options: ClassifyAllOptions,
): AsyncGenerator<Classification, void, undefined> {
  parseOptions(z.object(classifyAllShape), options, "classifyAll");
  const found = await loaded.during(() => findInputs(pictures, taskOf(options)));
  yield* classifyFound(found, openOne(loaded), options, staysOpen);
}

/** One place in the list of results: a picture to classify, or a path that stands for none. */
type Found = { readonly input: PictureInput; readonly name: string } | Unreadable;

async function findInputs(pictures: Iterable<PictureSource>, task: Task<WarningEvent>): Promise<readonly Found[]> {
  const found: Found[] = [];
  let place = 0;
  for (const source of pictures) {
    const name = `pictures[${place++}]`;
    const input = inputOf(source, name);
    if (typeof input !== "string") {
      found.push({ input, name });
      continue;
    }
    const { files, missing } = await findPictures([input], task);
    for (const file of files) found.push({ input: file, name: file });
    found.push(...missing);
  }
  return found;
}

/** Results in the order of `found`; those that are no pictures among the others. */
async function* classifyFound(
  found: readonly Found[],
  source: ModelSource,
  options: ClassifyAllOptions,
  atEnd: AtEnd,
): AsyncGenerator<Classification, void, undefined> {
  const pictures = found.filter((place) => "input" in place);
  const results = classifyInputs(
    pictures.map(({ input }) => input),
    pictures.map(({ name }) => name),
    source,
    options,
    atEnd,
  );
  try {
    for (const place of found) {
      if ("error" in place) yield place;
      else {
        const next = await results.next();
        if (next.done) return;
        yield next.value;
      }
    }
  } finally {
    await results.return(undefined);
  }
}

/** `classify` of picture files that are known, by a model of its own. */
export function classifyFiles(
  files: readonly string[],
  run: string,
  options: OpenModelOptions & ClassifyAllOptions,
): AsyncGenerator<Classification, void, undefined> {
  return classifyInputs(files, files, fileOf(run, options), options, closes);
}

/** `classify` of picture files that are known, by an open model. */
export function classifyFilesWith(
  loaded: LoadedModel,
  files: readonly string[],
  options: ClassifyAllOptions,
): AsyncGenerator<Classification, void, undefined> {
  return classifyInputs(files, files, openOne(loaded), options, staysOpen);
}

async function* classifyInputs(
  inputs: readonly PictureInput[],
  names: readonly string[],
  source: ModelSource,
  { top = 5, views = 1, workers, signal }: ClassifyAllOptions,
  atEnd: AtEnd,
): AsyncGenerator<Classification, void, undefined> {
  checkViewCount(views);
  if (inputs.length === 0) return;
  const task = taskOf<never>({ signal });
  const size = Math.min(inputs.length, picturesPerBatch(views));
  const batches = fileBatches(inputs, { size, pictureSize: source.pictureSize(), workers, signal: task.signal });
  const first = batches.next(); // decoded while the network gets ready
  first.catch(() => {}); // counts when it is waited for
  try {
    const loaded = await source.open();
    const forget = loaded.atClose(() => batches.return(undefined));
    try {
      const { program, release } = await loaded.during(() => loaded.programs.acquire(size * views));
      try {
        for (let next = await first; !next.done; next = await loaded.during(() => batches.next())) {
          const batch = next.value;
          yield* await loaded.during(() => classifyBatch(loaded, program, batch, names, views, top));
          batch.release();
        }
      } finally {
        release();
      }
    } finally {
      forget();
      await atEnd(loaded);
    }
  } finally {
    await batches.return(undefined);
  }
}

/** The picture files that paths stand for, and the paths that stand for none. Warns of files that are not looked at. */
export async function findPictures(
  paths: readonly string[],
  task: Task<WarningEvent>,
): Promise<{ readonly files: readonly string[]; readonly missing: readonly Unreadable[] }> {
  const files: string[] = [];
  const missing: Unreadable[] = [];
  for (const path of paths) {
    try {
      const others = new OtherFiles();
      const found = await listPictures([path], others, task);
      const leftAside = others.describe();
      if (found.length === 0)
        missing.push({ file: path, error: `${path}: no pictures in this folder${leftAside ? `; ${leftAside}` : ""}` });
      else if (leftAside !== undefined) task.report({ kind: "warning", problem: `${path}: ${leftAside}`, hints: [] });
      for (const file of found) files.push(file);
    } catch (error) {
      if (!(error instanceof AlexnetError && error.code === "not-found")) throw error;
      missing.push({ file: path, error: error.message });
    }
  }
  return { files, missing };
}

async function classifyBatch(
  loaded: LoadedModel,
  program: Program,
  { pictures, inputs, first, outcomes, readable }: FileBatch,
  names: readonly string[],
  views: number,
  top: number,
): Promise<readonly Classification[]> {
  const { model } = loaded;
  const seen = readable.flatMap((i) => viewsOf(views, loaded.sizes, i));
  const outputs =
    seen.length === 0
      ? new Float32Array()
      : await program.predict({ pictures, views: seen, labels: new Int32Array(seen.length) });
  const averages = averageViews(outputs, views, model.classes.length).values();
  return inputs.map((input, i) => {
    const file = names[first + i] ?? "";
    const error = outcomes[i] ?? null;
    if (error !== null) return { file, error: typeof input === "string" ? error : `${file}: ${error}` };
    return { file, predictions: mostProbable(averages.next().value ?? new Float64Array(), model.classes, top) };
  });
}

/** Of one value per class, the highest, with their names. */
export function mostProbable(
  probabilities: Float32Array | Float64Array,
  classes: readonly string[],
  top: number,
): readonly Prediction[] {
  return highest(probabilities, top).map((output) => ({
    class: classes[output] ?? "",
    probability: probabilities[output] ?? 0,
  }));
}

/**
 * What pictures in any form are taken for, a list for each. Calls made at the same time are predicted together.
 * @throws AlexnetError "unreadable-picture" naming the first that can't be read.
 */
export async function classifyTogether(
  loaded: LoadedModel,
  batcher: PictureBatcher,
  sources: readonly PictureSource[],
  nameOfSource: (place: number) => string,
  options: ClassifyingOptions,
): Promise<readonly (readonly Prediction[])[]> {
  parseOptions(z.object(classifyingShape).omit({ workers: true }), options, "classify");
  const { top = 5, views = 1 } = options;
  checkViewCount(views);
  const task: Task = taskOf<never>(options);
  const inputs = sources.map((source, i) => inputOf(source, nameOfSource(i)));
  throwIfStopped(task, "classifying");
  const classifyOne = async (input: PictureInput, place: number): Promise<readonly Prediction[]> => {
    const picture = await loadInput(input, nameOf(input, nameOfSource(place)), loaded.sizes.pictureSize);
    throwIfStopped(task, "classifying");
    return mostProbable(await batcher.predict(picture, views, task.signal), loaded.model.classes, top);
  };
  const all: (readonly Prediction[])[] = [];
  const step = picturesPerBatch(1); // so many are in memory at once
  try {
    for (let first = 0; first < inputs.length; first += step)
      all.push(
        ...(await Promise.all(inputs.slice(first, first + step).map((input, i) => classifyOne(input, first + i)))),
      );
  } catch (error) {
    throwIfStopped(task, "classifying");
    throw error;
  }
  return all;
}
