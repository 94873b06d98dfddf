import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { AlexnetError } from "../errors.js";
import { MatrixFile, type MatrixFormat } from "../formats/matrix-file.js";
import { readModelHash } from "../runs/checkpoint/read.js";
import { lastHiddenLayer, layerShape, readActivations } from "./activations.js";
import { findPictures } from "./classify.js";
import { type OpenModel, openModel, type TrainedOptions } from "./open-model.js";

export interface FeaturesOptions extends TrainedOptions {
  /** Folder of a run, or a checkpoint's file. */
  readonly run: string;
  /** Picture files; a folder stands for the pictures below it. */
  readonly pictures: readonly string[];
  /** The file to write. */
  readonly out: string;
  readonly format: MatrixFormat;
  /** Default the last hidden layer: relu7, the 4096 activations of fc7. */
  readonly layer?: string;
  /** Threads that decode. */
  readonly workers?: number;
  readonly signal?: AbortSignal;
  /** Gets what is wrong with a file that can't be read. */
  readonly onUnreadable?: (error: string) => void;
  readonly onProgress?: (done: number, total: number) => void;
}

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
 * Writes what a layer makes of pictures' centre crops, a row each, with the files' names in the same order.
 * @throws AlexnetError "run" when there is no trained network, "usage" when it has no such layer, "data" when no
 * picture can be read, "interrupted" when the signal stopped it; nothing is written then.
 */
export async function features(options: FeaturesOptions): Promise<FeaturesSummary> {
  const { run, out, onUnreadable } = options;
  const { files, missing } = await findPictures(options.pictures);
  for (const { error } of missing) onUnreadable?.(error);
  const open = await openModel(run, options);
  try {
    const summary = await writeFeatures(open, files, options);
    return { out, ...summary, unreadable: summary.unreadable + missing.length };
  } finally {
    await open.close();
  }
}

export async function writeFeatures(
  open: OpenModel,
  files: readonly string[],
  options: Omit<FeaturesOptions, "run" | "pictures">,
  more: Readonly<Record<string, string>> = {},
): Promise<Omit<FeaturesSummary, "out">> {
  const { out, format, onProgress, onUnreadable, layer = lastHiddenLayer(open.model.network) } = options;
  const { channels, height, width } = layerShape(open.model.network, layer);
  const shape = height * width === 1 ? [channels] : [channels, height, width];
  const metadata = { format: FEATURES_FORMAT, layer, model: readModelHash(open.path), ...more };
  mkdirSync(dirname(out), { recursive: true });
  const file = new MatrixFile({ path: out, format, shape, names: files, metadata });
  try {
    const began = performance.now();
    let unreadable = 0;
    for await (const batch of readActivations(open, files, { ...options, layer })) {
      file.append(batch.files, batch.rows);
      for (const { error } of batch.failures) onUnreadable?.(error);
      unreadable += batch.failures.length;
      onProgress?.(file.rows + unreadable, files.length);
    }
    if (file.rows === 0) throw new AlexnetError("disk", `${out}: not written, no picture could be read`);
    file.finish();
    const seconds = (performance.now() - began) / 1000;
    return { layer, shape: [file.rows, ...shape], unreadable, imagesPerSecond: files.length / seconds };
  } finally {
    file.abandon();
  }
}
