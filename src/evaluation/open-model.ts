/// <reference lib="esnext.disposable" preserve="true" />
import { z } from "zod";
import type { EngineDescription } from "../engine/engine.js";
import type { Model } from "../model/model.js";
import type { Network } from "../network/network.js";
import type { Preprocessing } from "../network/picture.js";
import { parseOptions, path } from "../options.js";
import {
  type Classification,
  type ClassifyAllOptions,
  type ClassifyingOptions,
  classifyAll,
  classifyTogether,
  type Prediction,
} from "./classify.js";
import { type ClassifyingToFileOptions, type ClassifySummary, classifyToFileWith } from "./classify-to-file.js";
import { type EvaluatingOptions, type Evaluation, evaluateWith } from "./evaluate.js";
import {
  type FeaturesSummary,
  featuresOf,
  type LayerOptions,
  type WriteFeaturesOptions,
  writeFeaturesWith,
} from "./features.js";
import { LoadedModel, type OpenModelOptions, openModelShape } from "./loaded-model.js";
import {
  type LookingOptions,
  type LookResult,
  lookWith,
  type PictureLook,
  type WriteLookOptions,
  writeLookWith,
} from "./look.js";
import { PictureBatcher } from "./picture-batcher.js";
import type { PictureSource } from "./picture-source.js";
import { findSimilarWith, type SimilarResult, type SimilarSearchOptions } from "./similar.js";

/**
 * A trained network, opened once for any number of calls, several at a time among them: pictures of calls made while
 * another prediction runs are predicted together. Made by `openModel`. It is a `Model` too: `exportModel` takes it.
 */
export interface OpenModel extends Model, AsyncDisposable {
  /** The checkpoint's file. */
  readonly path: string;
  /** What computes, and with what. */
  readonly engine: EngineDescription;

  /**
   * What one picture is taken for, the most probable class first.
   * @throws AlexnetError "unreadable-picture" when it can't be read, "invalid-option", "interrupted", "closed".
   * @example
   * const [best] = await model.classify(await readFile("cat.jpg"));
   * console.log(best?.class, best?.probability);
   */
  classify(picture: PictureSource, options?: ClassifyingOptions): Promise<readonly Prediction[]>;
  /** What each of several pictures is predicted as, in their order. For thousands of them, `classifyAll`. */
  classify(
    pictures: readonly PictureSource[],
    options?: ClassifyingOptions,
  ): Promise<readonly (readonly Prediction[])[]>;
  /**
   * What pictures are predicted as, in their order, each as soon as it is known; decoded ahead on threads. A folder stands
   * for the pictures below it. A picture that can't be read is a row with `error`.
   * @throws AlexnetError "invalid-option", "interrupted", or "closed" when the model is closed meanwhile.
   * @example
   * for await (const row of model.classifyAll(["photos/val"], { signal }))
   *   console.log(row.file, "error" in row ? row.error : row.predictions[0]?.class);
   */
  classifyAll(
    pictures: Iterable<PictureSource>,
    options?: ClassifyAllOptions,
  ): AsyncGenerator<Classification, void, undefined>;
  /** As the function `classifyToFile`. */
  classifyToFile(options: ClassifyingToFileOptions): Promise<ClassifySummary>;
  /**
   * Counts how many pictures the network gets right. As the function `evaluate`.
   * @param data a folder of pictures or a prepared store
   * @example
   * const { accuracy, top5, confusion } = await model.evaluate("photos", { views: 10 });
   */
  evaluate(data: string, options?: EvaluatingOptions): Promise<Evaluation>;
  /** On what the run was trained on: by default the pictures kept out of training. */
  evaluate(options?: EvaluatingOptions): Promise<Evaluation>;
  /**
   * A layer's outputs for a picture's centre crop, row-major: by default the 4096 activations of relu7.
   * @throws AlexnetError "unreadable-picture", "invalid-option" when there is no such layer, "interrupted", "closed".
   */
  features(picture: PictureSource, options?: LayerOptions): Promise<Float32Array>;
  /** Those of several pictures, in their order. */
  features(pictures: readonly PictureSource[], options?: LayerOptions): Promise<readonly Float32Array[]>;
  /** As the function `features`: into a file. */
  writeFeatures(options: WriteFeaturesOptions): Promise<FeaturesSummary>;
  /** The pictures of a set that look most like others to the network. As the function `findSimilar`. */
  similar(queries: PictureSource | readonly PictureSource[], options: SimilarSearchOptions): Promise<SimilarResult>;
  /**
   * All feature maps of all layers for a picture, and what its answer depends on: which parts (occlusion), which pixels
   * (saliency).
   * @throws AlexnetError "unreadable-picture", "invalid-option" for a class that isn't there, "interrupted", "closed".
   */
  look(picture: PictureSource, options?: LookingOptions): Promise<PictureLook>;
  /** As the function `look`: drawn into a folder. */
  writeLook(picture: PictureSource, options: WriteLookOptions): Promise<LookResult>;

  /** Takes no more calls, waits for those under way, and ends the engine. `await using` calls it by itself. */
  close(): Promise<void>;
}

/**
 * Opens a trained network for many calls.
 * @param run folder of a run, or a checkpoint's file
 * @throws AlexnetError "not-found" when there is none, "damaged-file" when it isn't whole, "engine" when the engine
 * can't run here, "invalid-option".
 *
 * @example
 * await using model = await openModel("runs/first");
 * const [best] = await model.classify("cat.jpg");
 */
export async function openModel(run: string, options: OpenModelOptions = {}): Promise<OpenModel> {
  parseOptions(z.object({ run: path() }), { run }, "openModel");
  parseOptions(z.object(openModelShape), options, "openModel");
  const loaded = await LoadedModel.open(run, options);
  try {
    await loaded.verified;
    return new Handle(loaded, run);
  } catch (error) {
    await loaded.close();
    throw error;
  }
}

class Handle implements OpenModel {
  readonly path: string;
  readonly engine: EngineDescription;
  readonly network: Network;
  readonly classes: readonly string[];
  readonly preprocessing: Preprocessing;
  readonly parameters: Float32Array;
  readonly #loaded: LoadedModel;
  readonly #batcher: PictureBatcher;
  readonly #run: string;

  constructor(loaded: LoadedModel, run: string) {
    const { path, model, engine } = loaded;
    this.path = path;
    this.engine = engine.description;
    this.network = model.network;
    this.classes = model.classes;
    this.preprocessing = model.preprocessing;
    this.parameters = model.parameters;
    this.#loaded = loaded;
    this.#batcher = new PictureBatcher(loaded);
    this.#run = run;
  }

  classify(picture: PictureSource, options?: ClassifyingOptions): Promise<readonly Prediction[]>;
  classify(
    pictures: readonly PictureSource[],
    options?: ClassifyingOptions,
  ): Promise<readonly (readonly Prediction[])[]>;
  classify(given: PictureSource | readonly PictureSource[], options: ClassifyingOptions = {}) {
    return this.#oneOrMany(given, (sources, name) =>
      classifyTogether(this.#loaded, this.#batcher, sources, name, options),
    );
  }

  classifyAll(pictures: Iterable<PictureSource>, options: ClassifyAllOptions = {}) {
    return classifyAll(this.#loaded, pictures, options);
  }

  classifyToFile(options: ClassifyingToFileOptions) {
    return this.#loaded.during(() => classifyToFileWith(this.#loaded, options));
  }

  evaluate(given: string | EvaluatingOptions = {}, more: EvaluatingOptions = {}) {
    const [data, options] = typeof given === "object" ? [undefined, given] : [given, more];
    return this.#loaded.during(() => evaluateWith(this.#loaded, this.#run, data, options));
  }

  features(picture: PictureSource, options?: LayerOptions): Promise<Float32Array>;
  features(pictures: readonly PictureSource[], options?: LayerOptions): Promise<readonly Float32Array[]>;
  features(given: PictureSource | readonly PictureSource[], options: LayerOptions = {}) {
    return this.#oneOrMany(given, (sources, name) => featuresOf(this.#loaded, sources, name, options));
  }

  writeFeatures(options: WriteFeaturesOptions) {
    return this.#loaded.during(() => writeFeaturesWith(this.#loaded, options));
  }

  similar(queries: PictureSource | readonly PictureSource[], options: SimilarSearchOptions) {
    const list = isList(queries) ? queries : [queries];
    return this.#loaded.during(() => findSimilarWith(this.#loaded, this.#run, list, options));
  }

  look(picture: PictureSource, options: LookingOptions = {}) {
    return this.#loaded.during(() => lookWith(this.#loaded, picture, options));
  }

  writeLook(picture: PictureSource, options: WriteLookOptions) {
    return this.#loaded.during(() => writeLookWith(this.#loaded, picture, options));
  }

  close() {
    return this.#loaded.close();
  }

  [Symbol.asyncDispose]() {
    return this.#loaded.close();
  }

  /** A list of answers for a list of pictures; for a single one, its answer. */
  async #oneOrMany<T>(
    given: PictureSource | readonly PictureSource[],
    answer: (sources: readonly PictureSource[], name: (place: number) => string) => Promise<readonly T[]>,
  ): Promise<T | readonly T[]> {
    return this.#loaded.during(async () => {
      if (isList(given)) return answer(given, (place) => `pictures[${place}]`);
      for (const only of await answer([given], () => "picture")) return only;
      throw new Error("no answer for a picture");
    });
  }
}

function isList(given: PictureSource | readonly PictureSource[]): given is readonly PictureSource[] {
  return Array.isArray(given);
}
