import { createHash } from "node:crypto";
import { existsSync, statSync } from "node:fs";
import { stat } from "node:fs/promises";
import { extname, join, relative, resolve } from "node:path";
import { z } from "zod";
import { AlexnetError } from "../errors.js";
import { parseOptions, path, taskShape, wholeNumber } from "../options.js";
import { readModelHash } from "../runs/checkpoint/read.js";
import { type FindingEvent, type Task, type TaskOptions, taskOf, throwIfStopped } from "../task.js";
import { lastHiddenLayer, layerShape, readActivations } from "./activations.js";
import { findPictures, type Unreadable } from "./classify.js";
import { FeatureIndex, type Neighbour } from "./feature-index.js";
import { namesAt, writeFeatures } from "./features.js";
import { LoadedModel, type OpenModelOptions, openModelShape } from "./loaded-model.js";
import { inputOf, type PictureSource } from "./picture-source.js";

export interface SimilarSearchOptions extends TaskOptions<FindingEvent> {
  /** What to search: a folder of pictures, or a .safetensors file that `features` wrote. */
  readonly set: string;
  /** How many of the nearest pictures of each. Default 6, as in the paper's figure 4. */
  readonly count?: number;
  /** Compare this layer's outputs. Default the last hidden layer: relu7. */
  readonly layer?: string;
  /** Where a folder's features are kept. Default in the run's folder. */
  readonly index?: string;
  /** Threads that decode. */
  readonly workers?: number;
}

export interface SimilarOptions extends OpenModelOptions, SimilarSearchOptions {
  /** Folder of a run, or a checkpoint's file. */
  readonly run: string;
  /** Pictures to search for, in any form; a folder stands for the pictures below it. */
  readonly queries: readonly PictureSource[];
}

const searchShape = {
  ...taskShape<FindingEvent>(),
  set: path(),
  count: wholeNumber(1).optional(),
  layer: z.string().optional(),
  index: path().optional(),
  workers: wholeNumber(1).optional(),
};

type SimilarTask = Task<FindingEvent>;

export interface SimilarPictures {
  /** The picture's path, or its place among those given: "queries[2]". */
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
  /** Seconds that searching took for all queries together, without making features. */
  readonly searchSeconds: number;
}

/**
 * Opens a trained network, finds for each query the pictures of a set whose activations are nearest by Euclidean
 * distance (paper section 6.1, figure 4 right), and closes it. A folder's features are computed once and kept until its
 * files change.
 * @throws AlexnetError "settings-differ" when the set's features are another network's or another layer's, "not-found"
 * or "unusable-data" when there is nothing to search or to search for, "interrupted" when the signal stopped it. All
 * else as `openModel`.
 */
export async function findSimilar(options: SimilarOptions): Promise<SimilarResult> {
  const shape = z.object({ ...openModelShape, ...searchShape, run: path(), queries: z.array(z.unknown()) });
  parseOptions(shape, options, "findSimilar");
  const { run, checkpoint, engine, threads, precision } = options;
  const loaded = await LoadedModel.open(run, { checkpoint, engine, threads, precision });
  try {
    return await search(loaded, run, options.queries, options, taskOf(options));
  } finally {
    await loaded.close();
  }
}

/** `findSimilar` by an open model. */
export async function findSimilarWith(
  loaded: LoadedModel,
  run: string,
  queries: readonly PictureSource[],
  options: SimilarSearchOptions,
): Promise<SimilarResult> {
  parseOptions(z.object(searchShape), options, "similar");
  return search(loaded, run, queries, options, taskOf(options));
}

async function search(
  loaded: LoadedModel,
  run: string,
  sources: readonly PictureSource[],
  options: SimilarSearchOptions,
  task: SimilarTask,
): Promise<SimilarResult> {
  const { count = 6, workers } = options;
  const { inputs, names, missing } = await findQueries(sources, task);
  const unreadable: Unreadable[] = [...missing];
  const { index, reused } = await openIndex(loaded, run, options, task);
  const files: string[] = [];
  const parts: Float32Array[] = [];
  const { layer } = index;
  for await (const batch of readActivations(loaded, inputs, { layer, names, workers }, task)) {
    files.push(...namesAt(names, batch.places));
    parts.push(batch.rows);
    unreadable.push(...batch.failures);
  }
  for (const row of unreadable) task.report({ kind: "unreadable", ...row });
  if (files.length === 0) throw new AlexnetError("unusable-data", "none of the pictures to search for could be read");
  const queries = new Float32Array(files.length * index.length);
  let at = 0;
  for (const part of parts) {
    queries.set(part, at);
    at += part.length;
  }
  const own = files.map((name) => resolve(name));
  const began = performance.now();
  const neighbours = await index.search(loaded.engine, queries, count, (row, query) => {
    return resolve(index.files[row] ?? "") === own[query];
  });
  return {
    index: index.path,
    pictures: index.files.length,
    reused,
    layer,
    queries: files.map((file, i) => ({ file, neighbours: (neighbours[i] ?? []).map(nearHere) })),
    unreadable,
    searchSeconds: (performance.now() - began) / 1000,
  };
}

/** Pictures to search for: folders become the pictures below them. */
async function findQueries(sources: readonly PictureSource[], task: SimilarTask) {
  const all = sources.map((source, i) => ({ input: inputOf(source, `queries[${i}]`), name: `queries[${i}]` }));
  const found: { readonly input: (typeof all)[number]["input"]; readonly name: string }[] = [];
  const missing: Unreadable[] = [];
  for (const place of all) {
    if (typeof place.input !== "string") {
      found.push(place);
      continue;
    }
    const pictures = await findPictures([place.input], task);
    for (const file of pictures.files) found.push({ input: file, name: file });
    missing.push(...pictures.missing);
  }
  return { inputs: found.map(({ input }) => input), names: found.map(({ name }) => name), missing };
}

/** Files are kept by their whole paths, and shown as seen from here where that is shorter. */
function nearHere({ file, distance }: Neighbour): Neighbour {
  const near = relative("", file);
  return { file: near.length < file.length ? near : file, distance };
}

async function openIndex(
  loaded: LoadedModel,
  run: string,
  options: SimilarSearchOptions,
  task: SimilarTask,
): Promise<{ readonly index: FeatureIndex; readonly reused: boolean }> {
  const { set } = options;
  const kind = statSync(set, { throwIfNoEntry: false });
  if (kind === undefined) throw new AlexnetError("not-found", `${set}: no such folder or file of features`);
  if (kind.isDirectory()) return indexFolder(loaded, run, options, task);
  if (extname(set) !== ".safetensors")
    throw new AlexnetError("unusable-data", `${set}: neither a folder of pictures nor a .safetensors file of features`);
  const index = new FeatureIndex(set);
  if (index.model !== readModelHash(loaded.path))
    throw new AlexnetError(
      "settings-differ",
      `${set}: holds features of another network than ${loaded.path}; make them anew`,
    );
  if (options.layer !== undefined && options.layer !== index.layer)
    throw new AlexnetError("settings-differ", `${set}: holds features of ${index.layer}, not of ${options.layer}`);
  return { index, reused: true };
}

/** Uses the features kept of a folder, or makes them where it or the network has changed. */
async function indexFolder(
  loaded: LoadedModel,
  run: string,
  options: SimilarSearchOptions,
  task: SimilarTask,
): Promise<{ readonly index: FeatureIndex; readonly reused: boolean }> {
  const { network } = loaded.model;
  const { set, layer = lastHiddenLayer(network), workers } = options;
  layerShape(network, layer);
  const { files, missing } = await findPictures([resolve(set)], task);
  for (const { error } of missing) throw new AlexnetError("unusable-data", error);
  const source = await fingerprint(files, task);
  const out = options.index ?? defaultPath(run, set, layer);
  const kept = existsSync(out) ? new FeatureIndex(out) : undefined;
  if (kept?.source === source && kept.layer === layer && kept.model === readModelHash(loaded.path))
    return { index: kept, reused: true };
  if (kept !== undefined && kept.source === undefined)
    throw new AlexnetError("already-exists", `${out}: holds features that were not made for a search`, {
      hint: { advice: "choose another file", option: "index" },
    });
  await writeFeatures(loaded, files, { out, format: "safetensors", layer, workers }, task, { source });
  return { index: new FeatureIndex(out), reused: false };
}

function defaultPath(run: string, set: string, layer: string): string {
  if (!statSync(run).isDirectory())
    throw new AlexnetError("invalid-option", `${run}: is no run folder to keep features in`, {
      hint: { advice: "say where to keep them", option: "index" },
    });
  const key = createHash("sha256").update(resolve(set)).digest("hex").slice(0, 12);
  return join(run, "features", `${layer}-${key}.safetensors`);
}

/** Changes when a picture is added, removed, renamed or written to. */
async function fingerprint(files: readonly string[], task: Pick<Task, "signal">): Promise<string> {
  const hash = createHash("sha256");
  const AT_ONCE = 256;
  for (let start = 0; start < files.length; start += AT_ONCE) {
    throwIfStopped(task, "looking at the set's files");
    const part = files.slice(start, start + AT_ONCE);
    const found = await Promise.all(part.map(async (file) => ({ file, stats: await stat(file) })));
    for (const { file, stats } of found) hash.update(`${file}\0${stats.size}\0${stats.mtimeMs}\n`);
  }
  return hash.digest("hex");
}
