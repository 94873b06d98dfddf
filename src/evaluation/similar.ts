import { createHash } from "node:crypto";
import { existsSync, statSync } from "node:fs";
import { stat } from "node:fs/promises";
import { extname, join, relative, resolve } from "node:path";
import { AlexnetError } from "../errors.js";
import { readModelHash } from "../runs/checkpoint/read.js";
import { lastHiddenLayer, layerShape, readActivations } from "./activations.js";
import { findPictures, type Unreadable } from "./classify.js";
import { FeatureIndex, type Neighbour } from "./feature-index.js";
import { type FeaturesOptions, writeFeatures } from "./features.js";
import { type OpenModel, openModel, type TrainedOptions } from "./open-model.js";

export interface SimilarOptions
  extends TrainedOptions,
    Pick<FeaturesOptions, "run" | "layer" | "workers" | "signal" | "onUnreadable" | "onProgress"> {
  /** What to search: a folder of pictures, or a .safetensors file that `features` wrote. */
  readonly set: string;
  /** Pictures to search for; a folder stands for the pictures below it. */
  readonly queries: readonly string[];
  /** Nearest pictures of each. Default 6, as in the paper's figure 4. */
  readonly count?: number;
  /** Where a folder's features are kept. Default in the run's folder. */
  readonly index?: string;
}

export interface SimilarPictures {
  readonly file: string;
  /** The nearest first; never the picture itself. */
  readonly neighbours: readonly Neighbour[];
}

export interface SimilarResult {
  readonly index: string;
  /** Pictures in it, and whether it was there already. */
  readonly pictures: number;
  readonly reused: boolean;
  readonly layer: string;
  readonly queries: readonly SimilarPictures[];
  readonly unreadable: readonly Unreadable[];
  /** All queries together, without making features. */
  readonly searchSeconds: number;
}

/**
 * For each query the pictures of a set whose activations are nearest by Euclidean distance (paper section 6.1,
 * figure 4 right). A folder's features are computed once and kept until its files change.
 * @throws AlexnetError "run" when there is no trained network or the features are another's, "data" when there is
 * nothing to search or to search for, "interrupted" when the signal stopped it.
 */
export async function findSimilar(options: SimilarOptions): Promise<SimilarResult> {
  const { count = 6, onUnreadable, workers, signal } = options;
  const found = await findPictures(options.queries);
  const unreadable: Unreadable[] = [...found.missing];
  const open = await openModel(options.run, options);
  try {
    const { index, reused } = await openIndex(open, options);
    const names: string[] = [];
    const parts: Float32Array[] = [];
    const layer = index.layer;
    for await (const batch of readActivations(open, found.files, { layer, workers, signal })) {
      names.push(...batch.files);
      parts.push(batch.rows);
      unreadable.push(...batch.failures);
    }
    for (const { error } of unreadable) onUnreadable?.(error);
    if (names.length === 0) throw new AlexnetError("unusable-data", "none of the pictures to search for could be read");
    const queries = new Float32Array(names.length * index.length);
    let at = 0;
    for (const part of parts) {
      queries.set(part, at);
      at += part.length;
    }
    const own = names.map((name) => resolve(name));
    const began = performance.now();
    const neighbours = await index.search(open.engine, queries, count, (row, query) => {
      return resolve(index.files[row]) === own[query];
    });
    return {
      index: index.path,
      pictures: index.files.length,
      reused,
      layer,
      queries: names.map((file, i) => ({ file, neighbours: neighbours[i].map(nearHere) })),
      unreadable,
      searchSeconds: (performance.now() - began) / 1000,
    };
  } finally {
    await open.close();
  }
}

/** Files are kept by their whole paths, and shown as seen from here where that is shorter. */
function nearHere({ file, distance }: Neighbour): Neighbour {
  const near = relative("", file);
  return { file: near.length < file.length ? near : file, distance };
}

async function openIndex(
  open: OpenModel,
  options: SimilarOptions,
): Promise<{ readonly index: FeatureIndex; readonly reused: boolean }> {
  const { set } = options;
  const kind = statSync(set, { throwIfNoEntry: false });
  if (kind === undefined) throw new AlexnetError("not-found", `${set}: no such folder or file of features`);
  if (kind.isDirectory()) return indexFolder(open, options);
  if (extname(set) !== ".safetensors")
    throw new AlexnetError(
      "unusable-data",
      `${set}: search a folder of pictures, or a .safetensors file of alexnet features`,
    );
  const index = new FeatureIndex(set);
  if (index.model !== readModelHash(open.path))
    throw new AlexnetError(
      "settings-differ",
      `${set}: holds features of another network than ${open.path}; make them anew`,
    );
  if (options.layer !== undefined && options.layer !== index.layer)
    throw new AlexnetError("settings-differ", `${set}: holds features of ${index.layer}, not of ${options.layer}`);
  return { index, reused: true };
}

/** Uses the features kept of a folder, or makes them where it or the network has changed. */
async function indexFolder(
  open: OpenModel,
  options: SimilarOptions,
): Promise<{ readonly index: FeatureIndex; readonly reused: boolean }> {
  const { network } = open.model;
  const { set, layer = lastHiddenLayer(network), workers, signal, onProgress, onUnreadable } = options;
  layerShape(network, layer);
  const { files } = await findPictures([resolve(set)]);
  const source = await fingerprint(files);
  const path = options.index ?? defaultPath(options.run, set, layer);
  const kept = existsSync(path) ? new FeatureIndex(path) : undefined;
  if (kept?.source === source && kept.layer === layer && kept.model === readModelHash(open.path))
    return { index: kept, reused: true };
  if (kept !== undefined && kept.source === undefined)
    throw new AlexnetError("already-exists", `${path}: was written by alexnet features; choose another --index`);
  await writeFeatures(
    open,
    files,
    { out: path, format: "safetensors", layer, workers, signal, onProgress, onUnreadable },
    { source },
  );
  return { index: new FeatureIndex(path), reused: false };
}

function defaultPath(run: string, set: string, layer: string): string {
  if (!statSync(run).isDirectory())
    throw new AlexnetError("invalid-option", `${run}: is no run folder to keep features in; say where with --index`);
  const key = createHash("sha256").update(resolve(set)).digest("hex").slice(0, 12);
  return join(run, "features", `${layer}-${key}.safetensors`);
}

/** Changes when a picture is added, removed, renamed or written to. */
async function fingerprint(files: readonly string[]): Promise<string> {
  const hash = createHash("sha256");
  const AT_ONCE = 256;
  for (let start = 0; start < files.length; start += AT_ONCE) {
    const part = files.slice(start, start + AT_ONCE);
    const stats = await Promise.all(part.map((file) => stat(file)));
    part.forEach((file, i) => {
      hash.update(`${file}\0${stats[i].size}\0${stats[i].mtimeMs}\n`);
    });
  }
  return hash.digest("hex");
}
