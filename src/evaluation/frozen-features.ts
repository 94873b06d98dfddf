import { createHash } from "node:crypto";
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, statfsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Engine } from "../engine/engine.js";
import { AlexnetError } from "../errors.js";
import { encodeSafetensorsHead, type TensorType } from "../formats/safetensors.js";
import type { Model } from "../model/model.js";
import type { Network } from "../network/network.js";
import { parameterTable, parameterView } from "../network/parameters.js";
import { splits } from "../network/picture.js";
import { inferShapes, type Shape, volume } from "../network/shapes.js";
import type { Recipe } from "../recipes/recipe.js";
import { everyPicture } from "../store/reading/batches.js";
import { FrozenFeatures, featuresShape } from "../store/reading/feature-batches.js";
import { pictureCount, type Store } from "../store/store.js";
import { cacheFolder } from "../system/cache-folder.js";
import { explainDisk, syncFolder, UNFINISHED, writeParts } from "../system/files.js";
import { bytesOf } from "../system/numbers.js";
import type { ProgressEvent, Task, WarningEvent } from "../task.js";
import { byteSize } from "../text.js";

const FORMAT = "alexnet frozen features 1";
const VIEWS_A_BATCH = 128;
const MOST_BYTES = 256e6; // of one batch's activations

/**
 * The last layer whose outputs are the same in every epoch: nothing up to it learns or is random. Undefined where
 * that is not even the first.
 */
export function lastFrozenLayer(network: Network, { augmentation, layerRates }: Recipe): string | undefined {
  if (augmentation) return undefined;
  const learning = new Set(parameterTable(network).flatMap(({ layer }) => (layerRates[layer] === 0 ? [] : [layer])));
  const end = network.layers.findIndex(({ kind, name }) => kind === "dropout" || learning.has(name));
  return network.layers[end - 1]?.name;
}

export interface FrozenFeaturesOptions {
  readonly store: Store;
  readonly engine: Engine;
  readonly model: Model;
  /** See `lastFrozenLayer`. */
  readonly layer: string;
  readonly workers: number | null;
}

/** What is told while features are computed. */
export type FrozenFeaturesTask = Task<ProgressEvent | WarningEvent>;

/**
 * The outputs of frozen layers for all pictures, in a file of the cache folder that is made where it isn't there. It is
 * found by the pictures, the parameters and everything else its values depend on. Undefined, after a warning, where the disk
 * has no space for it: training without it comes to the same.
 * @throws AlexnetError "interrupted" when the signal stopped it; nothing is left then.
 */
export async function frozenFeatures(
  options: FrozenFeaturesOptions,
  task: FrozenFeaturesTask,
): Promise<FrozenFeatures | undefined> {
  const { store, engine, model, layer } = options;
  const output = inferShapes(model.network).find((shaped) => shaped.layer.name === layer)?.output;
  if (output === undefined)
    throw new AlexnetError("invalid-option", `${layer}: ${model.network.name} has no such layer`);
  const path = join(cacheFolder(), "features", `${layer}-${keyOf(store, engine, model, layer)}.safetensors`);
  const kept = existsSync(path) ? await openIfWhole(path, layer, output, store) : undefined;
  if (kept !== undefined) return kept;
  mkdirSync(dirname(path), { recursive: true });
  const needed = 4 * volume(output) * pictureCount(store);
  const { bavail, bsize } = statfsSync(dirname(path));
  if (needed > bavail * bsize) {
    const space = `${byteSize(needed)}, and ${byteSize(bavail * bsize)} are free in ${dirname(path)}`;
    const problem = `the outputs of ${layer} for all pictures take ${space}: they are computed anew in each epoch; ALEXNET_CACHE names another folder`;
    task.report({ kind: "warning", problem, hints: [] });
    return undefined;
  }
  await writeFeatures(path, output, options, task);
  return FrozenFeatures.open(path, layer, output, store);
}

/** Undefined for a damaged file: what it held can be made again. */
async function openIfWhole(
  path: string,
  layer: string,
  output: Shape,
  store: Store,
): Promise<FrozenFeatures | undefined> {
  try {
    return await FrozenFeatures.open(path, layer, output, store);
  } catch (error) {
    if (error instanceof AlexnetError && error.code === "damaged-file") return undefined;
    throw error;
  }
}

/** Of the pictures and all that their activations depend on. */
function keyOf(store: Store, engine: Engine, { network, preprocessing, parameters }: Model, layer: string): string {
  const layers = network.layers.slice(0, network.layers.findIndex(({ name }) => name === layer) + 1);
  const { threads: _, ...computes } = engine.description;
  const about = { store: store.contentHash, input: network.input, layers, scale: preprocessing.scale, computes };
  const hash = createHash("sha256").update(JSON.stringify(about));
  hash.update(bytesOf(preprocessing.mean));
  for (const parameter of parameterTable(network))
    if (layers.some(({ name }) => name === parameter.layer)) hash.update(bytesOf(parameterView(parameters, parameter)));
  return hash.digest("hex").slice(0, 32);
}

/** Written beside, by a name that no other process takes; whole or not at all. */
async function writeFeatures(
  path: string,
  output: Shape,
  options: FrozenFeaturesOptions,
  task: FrozenFeaturesTask,
): Promise<void> {
  const { store, layer } = options;
  const beside = `${path}.${process.pid}${UNFINISHED}`;
  const types = new Map<string, TensorType>(
    splits.map((split) => [split, { dtype: "F32", shape: featuresShape(store, split, output) }]),
  );
  try {
    const file = openSync(beside, "w");
    try {
      writeParts(file, [encodeSafetensorsHead(types, { format: FORMAT, layer })]);
      await computeFeatures(options, volume(output), (rows) => writeParts(file, [bytesOf(rows)]), task);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(beside, path);
    syncFolder(dirname(path));
  } catch (error) {
    rmSync(beside, { force: true });
    throw explainDisk(error, path);
  }
}

/** Gives the layer's outputs for all pictures, split by split in their order. */
async function computeFeatures(
  options: FrozenFeaturesOptions,
  length: number,
  write: (rows: Float32Array) => void,
  { signal, report }: FrozenFeaturesTask,
): Promise<void> {
  const { engine, store, layer, workers } = options;
  const { network, preprocessing, parameters } = options.model;
  const batchSize = Math.max(1, Math.min(VIEWS_A_BATCH, Math.floor(MOST_BYTES / (4 * length))));
  const program = await engine.compile(network, { batchSize, mode: "predict", preprocessing, observe: [layer] });
  try {
    await program.write("parameters", parameters);
    const total = pictureCount(store);
    let done = 0;
    for await (const batch of everyPicture(store, { batchSize, cropSize: network.input.size, workers, signal })) {
      const { samples, release, ...seen } = batch;
      await program.predict(seen);
      release();
      write(await program.activation(layer));
      done += samples.length;
      report({ kind: "progress", of: `features of ${layer}`, done, total });
    }
  } finally {
    await program.close();
  }
}
