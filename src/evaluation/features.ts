import { z } from "zod";
import { AlexnetError } from "../errors.js";
import { MatrixFile, type MatrixFormat, matrixFormats } from "../formats/matrix-file.js";
import { volume } from "../network/shapes.js";
import { parseOptions, path, taskShape, wholeNumber } from "../options.js";
import { readModelHash } from "../runs/checkpoint/read.js";
import { checkOutput } from "../system/outputs.js";
import { type FindingEvent, type Task, type TaskOptions, taskOf } from "../task.js";
import { lastHiddenLayer, layerShape, readActivations } from "./activations.js";
import { findPictures } from "./classify.js";
import { LoadedModel, type OpenModelOptions, openModelShape } from "./loaded-model.js";
import { inputOf, nameOf, type PictureSource } from "./picture-source.js";

export interface LayerOptions {
  /** The layer whose outputs are wanted. Default the last hidden layer: relu7, the 4096 activations of fc7. */
  readonly layer?: string;
  /** Threads that decode. Default: a quarter of the machine's cores. */
  readonly workers?: number;
  /** Ends the work as soon as it can be ended; the call then throws AlexnetError "interrupted". */
  readonly signal?: AbortSignal;
}

export const layerOptionsShape = {
  layer: z.string().optional(),
  workers: wholeNumber(1).optional(),
  signal: taskShape().signal,
};

export interface WriteFeaturesOptions extends Omit<LayerOptions, "signal">, TaskOptions<FindingEvent> {
  /** Picture files; a folder stands for the pictures below it. */
  readonly pictures: readonly string[];
  /** The file to write. */
  readonly out: string;
  readonly format: MatrixFormat;
}

export interface FeaturesOptions extends OpenModelOptions, WriteFeaturesOptions {
  /** Folder of a run, or a checkpoint's file. */
  readonly run: string;
}

const writeFeaturesShape = {
  ...layerOptionsShape,
  ...taskShape<FindingEvent>(),
  pictures: z.array(path()),
  out: path(),
  format: z.enum(matrixFormats),
};

export interface FeaturesSummary {
  readonly out: string;
  readonly layer: string;
  /** Pictures first. */
  readonly shape: readonly number[];
  readonly unreadable: number;
  readonly imagesPerSecond: number;
}

/** Marks the metadata of feature files. */
export const FEATURES_FORMAT = "alexnet features 1";

/**
 * Opens a trained network, writes a layer's outputs for pictures' centre crops, a row each, with the files' names in
 * the same order, and closes it.
 * @throws AlexnetError "invalid-option" when the network has no such layer, "unusable-data" when no picture can be read,
 * "interrupted" when the signal stopped it; nothing is written then. All else as `openModel`.
 */
export async function features(options: FeaturesOptions): Promise<FeaturesSummary> {
  parseOptions(z.object({ ...openModelShape, ...writeFeaturesShape, run: path() }), options, "features");
  const { run, checkpoint, engine, threads, precision } = options;
  const loaded = await LoadedModel.open(run, { checkpoint, engine, threads, precision });
  try {
    return await writeFoundFeatures(loaded, options);
  } finally {
    await loaded.close();
  }
}

/** `features` by an open model. */
export async function writeFeaturesWith(loaded: LoadedModel, options: WriteFeaturesOptions): Promise<FeaturesSummary> {
  parseOptions(z.object(writeFeaturesShape), options, "writeFeatures");
  return writeFoundFeatures(loaded, options);
}

async function writeFoundFeatures(loaded: LoadedModel, options: WriteFeaturesOptions): Promise<FeaturesSummary> {
  const { out, format, layer, workers } = options;
  const task = taskOf(options);
  const { files, missing } = await findPictures(options.pictures, task);
  for (const row of missing) task.report({ kind: "unreadable", ...row });
  const summary = await writeFeatures(loaded, files, { out, format, layer, workers }, task);
  return { ...summary, unreadable: summary.unreadable + missing.length };
}

export async function writeFeatures(
  loaded: LoadedModel,
  files: readonly string[],
  options: Pick<WriteFeaturesOptions, "out" | "format" | "layer" | "workers">,
  task: Task<FindingEvent>,
  more: Readonly<Record<string, string>> = {},
): Promise<FeaturesSummary> {
  const { network } = loaded.model;
  const { out, format, workers, layer = lastHiddenLayer(network) } = options;
  const { channels, height, width } = layerShape(network, layer);
  const shape = height * width === 1 ? [channels] : [channels, height, width];
  const metadata = { format: FEATURES_FORMAT, layer, model: readModelHash(loaded.path), ...more };
  checkOutput(out, "out", "whole");
  const file = new MatrixFile({ path: out, format, shape, names: files, metadata });
  try {
    const began = performance.now();
    let unreadable = 0;
    for await (const batch of readActivations(loaded, files, { layer, names: files, workers }, task)) {
      file.append(namesAt(files, batch.places), batch.rows);
      for (const row of batch.failures) task.report({ kind: "unreadable", ...row });
      unreadable += batch.failures.length;
      task.report({ kind: "progress", of: "features", done: file.rows + unreadable, total: files.length });
    }
    if (file.rows === 0) throw new AlexnetError("unusable-data", `${out}: not written, no picture could be read`);
    file.finish();
    const seconds = (performance.now() - began) / 1000;
    return { out, layer, shape: [file.rows, ...shape], unreadable, imagesPerSecond: files.length / seconds };
  } finally {
    file.abandon();
  }
}

export function namesAt(names: readonly string[], places: readonly number[]): readonly string[] {
  return places.map((place) => names[place] ?? "");
}

/**
 * A layer's outputs for pictures in any form, row-major, one array each.
 * @throws AlexnetError "unreadable-picture" naming the first that can't be read.
 */
export async function featuresOf(
  loaded: LoadedModel,
  sources: readonly PictureSource[],
  nameOfSource: (place: number) => string,
  options: LayerOptions,
): Promise<readonly Float32Array[]> {
  parseOptions(z.object(layerOptionsShape), options, "features");
  const { network } = loaded.model;
  const { layer = lastHiddenLayer(network), workers } = options;
  const inputs = sources.map((source, i) => inputOf(source, nameOfSource(i)));
  const names = inputs.map((input, i) => nameOf(input, nameOfSource(i)));
  const length = volume(layerShape(network, layer));
  const all: Float32Array[] = [];
  const task = taskOf<never>(options);
  for await (const { places, rows, failures } of readActivations(loaded, inputs, { layer, names, workers }, task)) {
    for (const { error } of failures) throw new AlexnetError("unreadable-picture", error);
    places.forEach((_, row) => {
      all.push(rows.slice(row * length, (row + 1) * length));
    });
  }
  return all;
}
