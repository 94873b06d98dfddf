import { createHash } from "node:crypto";
import { drawMaps, drawOverlay } from "../drawing/maps.js";
import { sharpOf, squareOf } from "../drawing/pixels.js";
import { evaluateStore, type LabelledPrediction, openEvaluation } from "../evaluation/evaluate.js";
import type { PictureLook } from "../evaluation/look.js";
import type { OpenModel } from "../evaluation/open-model.js";
import { sharp } from "../images/sharp.js";
import { type Split, splits } from "../network/picture.js";
import { takeCells } from "../report/cells.js";
import { leastCertain, worstMistakes } from "../report/examples.js";
import { type PictureTaker, pictureId, shownPicture } from "../report/pictures.js";
import { viewSheet } from "../store/checking/inspect.js";
import { readPicture } from "../store/reading/read-picture.js";
import { openStore, type Store } from "../store/store.js";
import type { Neighbour, RunEvaluation, ShownActivations, ShownOcclusion } from "./api-types.js";
import { HttpProblem } from "./problems.js";

const KEPT_LOOKS = 4; // a full-size network's maps are some 5 MB
const KEPT_SETS = 4;
const COMPARED = 2000; // validation pictures among which neighbours are looked for
const SHOWN = 8;
const BATCH_PICTURES = 32;
const SHEET_WIDTH = 1100; // pixels

/** What is kept of what was asked for last, oldest out first. A failure is not kept. */
class Kept<T> {
  readonly #most: number;
  readonly #values = new Map<string, Promise<T>>();

  constructor(most: number) {
    this.#most = most;
  }

  get(key: string, make: () => Promise<T>): Promise<T> {
    let value = this.#values.get(key);
    if (value === undefined) {
      value = make();
      value.catch(() => this.#values.delete(key));
      for (const [oldest] of this.#values) if (this.#values.size >= this.#most) this.#values.delete(oldest);
      this.#values.set(key, value);
    }
    return value;
  }
}

/** What can be seen of a trained network and of the pictures that it was trained on. */
export class Explorer {
  readonly #looks = new Kept<PictureLook>(KEPT_LOOKS);
  readonly #evaluations = new Kept<RunEvaluation>(KEPT_SETS);
  readonly #features = new Kept<readonly Float32Array[]>(KEPT_SETS);
  readonly #stores = new Map<string, Promise<Store>>();

  async close(): Promise<void> {
    const all = [...this.#stores.values()];
    this.#stores.clear();
    await Promise.all(all.map((store) => store.then((open) => open.close()).catch(() => {})));
  }

  /** @param path the store's folder */
  store(path: string): Promise<Store> {
    let store = this.#stores.get(path);
    if (store === undefined) {
      store = openStore(path);
      store.catch(() => this.#stores.delete(path));
      this.#stores.set(path, store);
    }
    return store;
  }

  /** A picture of the store as a JPEG. @param id "val-17" */
  async picture(path: string, id: string): Promise<Buffer> {
    const store = await this.store(path);
    const { split, sample } = placeOf(id, store);
    const pixels = await readPicture(store, split, sample);
    return sharpOf(squareOf(store.info.pictureSize, pixels)).jpeg({ quality: 90 }).toBuffer();
  }

  /** Some pictures as training sees them: cropped, mirrored, colours shifted. As a JPEG. */
  async batch(path: string, cropSize: number, seed: number): Promise<Buffer> {
    const sheet = await viewSheet(await this.store(path), { count: BATCH_PICTURES, cropSize, seed });
    return sharp(sheet).resize({ width: SHEET_WIDTH, withoutEnlargement: true }).jpeg({ quality: 85 }).toBuffer();
  }

  /** @param key changes with the checkpoint */
  evaluation(key: string, checkpoint: string, storePath: string, signal: AbortSignal): Promise<RunEvaluation> {
    return this.#evaluations.get(key, async () => {
      const predictions: LabelledPrediction[] = [];
      const task = {
        signal,
        report: (event: { readonly kind: string }) => {
          if (event.kind === "prediction") predictions.push(event as unknown as LabelledPrediction);
        },
      };
      const options = { run: checkpoint, data: storePath };
      const setup = await openEvaluation(options, task);
      try {
        const { classes } = setup.loaded.model;
        const evaluation = await evaluateStore(setup, {}, task);
        const take = (prediction: LabelledPrediction) => shownPicture(prediction, classes);
        const taker: PictureTaker = {
          take: async (prediction) => take(prediction),
          takeAll: async (all) => all.map(take),
        };
        return {
          evaluation: { ...evaluation, checkpoint: "", data: "", store: "" }, // paths are nobody's business
          cells: await takeCells(evaluation, predictions, taker),
          mistakes: worstMistakes(predictions).map(take),
          uncertain: leastCertain(predictions).map(take),
        };
      } finally {
        await setup.close();
      }
    });
  }

  async activations(model: OpenModel, picture: Uint8Array, signal: AbortSignal): Promise<ShownActivations> {
    const { predictions, maps } = await this.#look(model, picture, signal);
    const layers = await Promise.all(
      maps.map(async ({ layer, kind, channels, height, width, values }) => {
        const png = await drawMaps(values, channels, height, width, { tile: 64, widest: 1300 });
        return { layer, kind, channels, height, width, image: dataUri(png) };
      }),
    );
    return { predictions, layers };
  }

  async occlusion(model: OpenModel, picture: Uint8Array, signal: AbortSignal): Promise<ShownOcclusion> {
    const { class: name, probability, crop, cropSize, occlusion } = await this.#look(model, picture, signal);
    return { class: name, probability, image: dataUri(await drawOverlay(squareOf(cropSize, crop), occlusion)) };
  }

  /** Among the first validation pictures, or training pictures where there are none. */
  async neighbours(
    model: OpenModel,
    key: string,
    storePath: string,
    picture: Uint8Array,
  ): Promise<readonly Neighbour[]> {
    const store = await this.store(storePath);
    const split: Split = store.count("val") > 0 ? "val" : "train";
    const count = Math.min(COMPARED, store.count(split));
    const set = await this.#features.get(key, async () => {
      const all: Float32Array[] = [];
      for (let sample = 0; sample < count; sample++)
        all.push(await model.features(await asImage(store, split, sample)));
      return all;
    });
    const own = await model.features(picture);
    return set
      .map((features, sample) => ({ sample, similarity: cosine(own, features) }))
      .sort((a, b) => b.similarity - a.similarity)
      .slice(0, SHOWN)
      .map(({ sample, similarity }) => ({
        n: pictureId(split, sample),
        file: store.fileName(split, sample),
        label: store.classes[store.labels(split)[sample] ?? -1] ?? "",
        similarity,
      }));
  }

  #look(model: OpenModel, picture: Uint8Array, signal: AbortSignal): Promise<PictureLook> {
    const key = `${model.path} ${createHash("sha256").update(picture).digest("hex")}`;
    return this.#looks.get(key, () => model.look(picture, { signal }));
  }
}

/** @throws HttpProblem 404 */
export function placeOf(id: string, store: Store): { readonly split: Split; readonly sample: number } {
  const [, name, digits] = /^([a-z]+)-(\d{1,9})$/.exec(id) ?? [];
  const split = splits.find((candidate) => candidate === name);
  if (split === undefined || Number(digits) >= store.count(split))
    throw new HttpProblem(404, "There is no such picture.");
  return { split, sample: Number(digits) };
}

/** An image file's bytes. */
async function asImage(store: Store, split: Split, sample: number): Promise<Uint8Array> {
  const pixels = await readPicture(store, split, sample);
  return sharpOf(squareOf(store.info.pictureSize, pixels)).png({ compressionLevel: 1 }).toBuffer();
}

function cosine(a: Float32Array, b: Float32Array): number {
  let [product, left, right] = [0, 0, 0];
  for (const [i, value] of a.entries()) {
    const other = b[i] ?? 0;
    product += value * other;
    left += value * value;
    right += other * other;
  }
  return product / (Math.sqrt(left * right) || 1);
}

export function dataUri(png: Uint8Array): string {
  return `data:image/png;base64,${Buffer.from(png).toString("base64")}`;
}
