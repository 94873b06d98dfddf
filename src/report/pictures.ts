import { sharpOf, squareOf } from "../drawing/pixels.js";
import type { LabelledPrediction } from "../evaluation/evaluate.js";
import type { Split } from "../network/picture.js";
import { confidence, isCorrect } from "../scoring/prediction.js";
import { readPicture } from "../store/reading/read-picture.js";
import type { Store } from "../store/store.js";
import type { ShownPicture } from "./data.js";

const SIZE = 112; // pixels; a picture takes about 5 kB then

/** Takes pictures into what is being made, and says how they are shown. */
export interface PictureTaker {
  take(prediction: LabelledPrediction): Promise<ShownPicture | undefined>;
  takeAll(predictions: readonly LabelledPrediction[]): Promise<readonly ShownPicture[]>;
}

/** The pictures of a page: each is in it once, wherever it is shown, and there are not too many. */
export class Pictures implements PictureTaker {
  readonly #store: Store;
  readonly #classes: readonly string[];
  readonly #most: number;
  readonly #sources = new Map<string, string>();

  constructor(store: Store, classes: readonly string[], most: number) {
    this.#store = store;
    this.#classes = classes;
    this.#most = most;
  }

  get isFull(): boolean {
    return this.#sources.size >= this.#most;
  }

  /** By id, as data URIs. */
  get sources(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#sources);
  }

  /** Takes a picture into the page, unless it is full. */
  async take(prediction: LabelledPrediction): Promise<ShownPicture | undefined> {
    const { split, sample } = prediction;
    const id = pictureId(split, sample);
    if (!this.#sources.has(id)) {
      if (this.isFull) return undefined;
      this.#sources.set(
        id,
        await thumbnail(await readPicture(this.#store, split, sample), this.#store.info.pictureSize),
      );
    }
    return shownPicture(prediction, this.#classes);
  }

  async takeAll(predictions: readonly LabelledPrediction[]): Promise<readonly ShownPicture[]> {
    const shown: ShownPicture[] = [];
    for (const prediction of predictions) {
      const picture = await this.take(prediction);
      if (picture !== undefined) shown.push(picture);
    }
    return shown;
  }
}

/** "val-17" */
export function pictureId(split: Split, sample: number): string {
  return `${split}-${sample}`;
}

export function shownPicture(prediction: LabelledPrediction, classes: readonly string[]): ShownPicture {
  const { split, sample, file, label, best, labelProbability } = prediction;
  const nameOf = (output: number | undefined): string => classes[output ?? -1] ?? "nothing";
  return {
    id: pictureId(split, sample),
    file,
    label: nameOf(label),
    predicted: nameOf(best[0]),
    confidence: confidence(prediction),
    labelProbability,
    correct: isCorrect(prediction),
  };
}

async function thumbnail(picture: Uint8Array, size: number): Promise<string> {
  const jpeg = await sharpOf(squareOf(size, picture)).resize(SIZE, SIZE).jpeg({ quality: 72 }).toBuffer();
  return `data:image/jpeg;base64,${jpeg.toString("base64")}`;
}
