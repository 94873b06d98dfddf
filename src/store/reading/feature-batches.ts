import { type FileHandle, open } from "node:fs/promises";
import { AlexnetError } from "../../errors.js";
import { openSafetensors } from "../../formats/safetensors.js";
import { type Split, splits } from "../../network/picture.js";
import { type Shape, volume } from "../../network/shapes.js";
import { bytesOf } from "../../system/numbers.js";
import type { Store } from "../store.js";
import { centreView } from "../views.js";
import { type BatchOptions, type LoadedBatch, planBatches, type ReadBatches } from "./batches.js";

/** What a frozen layer makes of each picture's centre, read as it is needed. */
export class FrozenFeatures {
  readonly #length: number;
  readonly #free: SharedArrayBuffer[] = [];

  private constructor(
    readonly path: string,
    readonly layer: string,
    output: Shape,
    readonly store: Store,
    readonly file: FileHandle,
    /** Where each split's values begin in the file, in bytes. */
    readonly starts: Readonly<Record<Split, number>>,
  ) {
    this.#length = volume(output);
  }

  /** @throws AlexnetError "damaged-file" when the file is damaged. */
  static async open(path: string, layer: string, output: Shape, store: Store): Promise<FrozenFeatures> {
    const header = openSafetensors(path);
    try {
      for (const split of splits)
        if (header.shapes.get(split)?.join() !== featuresShape(store, split, output).join())
          throw new AlexnetError("damaged-file", `${path}: holds not what ${layer} makes of ${store.path}; delete it`);
      const starts = { train: header.position("train"), val: header.position("val") };
      return new FrozenFeatures(path, layer, output, store, await open(path), starts);
    } finally {
      header.close();
    }
  }

  /** As `batches` of the store in their order, with activations in place of pictures. */
  readonly batches: ReadBatches = (options) => this.#batches(options);

  close(): Promise<void> {
    return this.file.close();
  }

  async *#batches(options: BatchOptions): AsyncGenerator<LoadedBatch> {
    const { count, size, samplesOf } = planBatches(this.store, options);
    for (let i = options.firstBatch ?? 0; i < count; i++) {
      yield this.#load(samplesOf(i), size, options);
      if (options.signal?.aborted) throw new AlexnetError("interrupted", "loading features: stopped");
    }
  }

  async #load(samples: Uint32Array, size: number, { split, cropSize }: BatchOptions): Promise<LoadedBatch> {
    const slot = this.#take(4 * size * this.#length);
    const activations = new Float32Array(slot, 0, samples.length * this.#length);
    await Promise.all(
      Array.from(samples, (sample, i) =>
        this.#read(split, sample, activations.subarray(i * this.#length, (i + 1) * this.#length)),
      ),
    );
    const labels = this.store.labels(split);
    return {
      pictures: noPictures,
      activations,
      views: Array.from(samples, () => centreView({ pictureSize: this.store.info.pictureSize, cropSize })),
      labels: Int32Array.from(samples, (sample) => labels[sample] ?? 0),
      samples,
      release: () => void this.#free.push(slot),
    };
  }

  #take(bytes: number): SharedArrayBuffer {
    const slot = this.#free.pop();
    return slot?.byteLength === bytes ? slot : new SharedArrayBuffer(bytes);
  }

  async #read(split: Split, sample: number, into: Float32Array): Promise<void> {
    const bytes = bytesOf(into);
    const start = this.starts[split] + 4 * sample * this.#length;
    for (let done = 0; done < bytes.length; ) {
      const { bytesRead } = await this.file.read(bytes, done, bytes.length - done, start + done);
      if (bytesRead === 0)
        throw new AlexnetError("damaged-file", `${this.path}: ended before its features did; delete it`);
      done += bytesRead;
    }
  }
}

const noPictures = new Uint8Array();

/** Of the tensor of a split's features. */
export function featuresShape(store: Store, split: Split, { channels, height, width }: Shape): readonly number[] {
  return [store.count(split), channels, height, width];
}
