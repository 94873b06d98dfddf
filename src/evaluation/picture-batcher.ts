import { pictureBytes } from "../network/picture.js";
import { viewsOf } from "../store/views.js";
import { averageViews } from "./evaluate-split.js";
import { type LoadedModel, picturesPerBatch } from "./loaded-model.js";

interface Waiting {
  /** (size, size, 3), of the size that the model learned from. */
  readonly picture: Uint8Array;
  readonly views: number;
  readonly signal: AbortSignal;
  readonly resolve: (probabilities: Float64Array) => void;
  readonly reject: (reason: unknown) => void;
}

/** Sizes of programs, in views: few, so that they can be kept, and never four times what is asked for. */
const SIZES = [8, 32, picturesPerBatch(1)];

/**
 * Puts pictures of calls that are made at the same time together: while one batch is predicted, those that come wait,
 * and are the next batch. The first of them never waits for others.
 */
export class PictureBatcher {
  readonly #loaded: LoadedModel;
  readonly #waiting: Waiting[] = [];
  #pictures: Uint8Array = new Uint8Array();
  #isRunning = false;

  constructor(loaded: LoadedModel) {
    this.#loaded = loaded;
  }

  /** Probabilities of the classes, averaged over so many views of the picture. */
  predict(picture: Uint8Array, views: number, signal: AbortSignal): Promise<Float64Array> {
    const answer = new Promise<Float64Array>((resolve, reject) => {
      this.#waiting.push({ picture, views, signal, resolve, reject });
    });
    if (!this.#isRunning) void this.#run();
    return answer;
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    await undefined; // what is asked for in the same turn goes together
    for (let group = this.#take(); group.length > 0; group = this.#take())
      try {
        await this.#predictGroup(group);
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    this.#isRunning = false;
  }

  /** Those that have waited longest, as many as make a batch. */
  #take(): readonly Waiting[] {
    const group: Waiting[] = [];
    let views = 0;
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      if (group.length > 0 && views + next.views > picturesPerBatch(1)) break;
      this.#waiting.shift();
      if (next.signal.aborted) {
        next.reject(next.signal.reason); // its caller says it in its own words
        continue;
      }
      group.push(next);
      views += next.views;
    }
    return group;
  }

  async #predictGroup(group: readonly Waiting[]): Promise<void> {
    const { programs, model, sizes } = this.#loaded;
    const views = group.flatMap((waiting, i) => viewsOf(waiting.views, sizes, i));
    const size = views.length === group[0]?.views ? views.length : SIZES.find((least) => least >= views.length);
    const { program, release } = await programs.acquire(size ?? views.length);
    try {
      const pictures = this.#gather(group);
      const outputs = await program.predict({ pictures, views, labels: new Int32Array(views.length) });
      let at = 0;
      for (const waiting of group) {
        const end = at + waiting.views * model.classes.length;
        const [average = new Float64Array()] = averageViews(
          outputs.subarray(at, end),
          waiting.views,
          model.classes.length,
        );
        waiting.resolve(average);
        at = end;
      }
    } finally {
      release();
    }
  }

  /** The group's pictures one after the other, in memory that crosses to the compute thread uncopied. */
  #gather(group: readonly Waiting[]): Uint8Array {
    const one = pictureBytes(this.#loaded.sizes.pictureSize);
    const bytes = group.length * one;
    if (this.#pictures.length < bytes) this.#pictures = new Uint8Array(new SharedArrayBuffer(bytes));
    group.forEach(({ picture }, i) => {
      this.#pictures.set(picture, i * one);
    });
    return this.#pictures.subarray(0, bytes);
  }
}
