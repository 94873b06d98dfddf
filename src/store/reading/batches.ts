import { AlexnetError } from "../../errors.js";
import { type Batch, pictureBytes, type Split, splits, type View } from "../../network/picture.js";

import { Purpose, permutation } from "../../random.js";
import { Pool } from "../../system/threads/pool.js";

import type { Store } from "../store.js";
import { augmentedView, viewsOf } from "../views.js";
import { balancedOrder, type EpochOrder } from "./balanced-order.js";
import type { LoadCalls, LoadSetup } from "./load-worker.js";

export interface BatchOptions {
  readonly split: Split;
  /** The most views a batch has: pictures for "augmented" and "centre"; "ten" has a tenth as many pictures. */
  readonly batchSize: number;
  /** A number: so many as `viewsOf` has. */
  readonly views: "augmented" | "centre" | "ten" | number;
  readonly cropSize: number;
  /** Decides order and augmentation, with the epoch. Default 0. */
  readonly seed?: number;
  readonly epoch?: number;
  /**
   * A new order each epoch, in batches that differ by one picture at most: a small last one would make a noisy step.
   * Otherwise the store's order, in full batches. Default false.
   */
  readonly shuffle?: boolean;
  /** Of shuffled batches: each class as often as every other, in as many pictures; see `balancedOrder`. Default false. */
  readonly balanced?: boolean;
  /** Where to begin, for going on inside an epoch. Default 0. */
  readonly firstBatch?: number;
  /** Loading threads, which must not take cores from the computing: default 1, of JPEG stores 2. */
  readonly workers?: number;
  /** What an augmented view has; see `augmentedView`. Default: all, with a colour noise of 0.1. */
  readonly crops?: boolean;
  readonly mirrors?: boolean;
  readonly colourDeviation?: number;
  readonly signal?: AbortSignal;
}

export interface LoadedBatch extends Batch {
  /** Of each picture, its index in the split. Views come picture by picture, as many of each. */
  readonly samples: Uint32Array;
  /** Gives the pictures' memory back for a later batch; they must not be looked at afterwards. */
  release(): void;
}

/**
 * One epoch of a split, read ahead on worker threads. Batches are a pure function of store and options, whatever the
 * number of workers.
 * @throws AlexnetError "interrupted" once the signal is given.
 */
export async function* batches(store: Store, options: BatchOptions): AsyncGenerator<LoadedBatch> {
  const { count, size, samplesOf, roundsOf } = planBatches(store, options);
  const loader = loaderOf(store, options.workers ?? (store.info.encoding === "raw" ? 1 : 2));
  const ahead: Promise<LoadedBatch>[] = [];
  let next = options.firstBatch ?? 0;
  try {
    for (;;) {
      for (; next < count && ahead.length <= loader.workers; next++)
        ahead.push(load(store, loader, samplesOf(next), size, { ...options, rounds: roundsOf?.(next) }));
      const first = ahead.shift();
      if (first === undefined) return;
      const batch = await first;
      if (options.signal?.aborted) {
        batch.release();
        throw new AlexnetError("interrupted", "loading pictures: stopped");
      }
      yield batch;
    }
  } finally {
    for (const batch of ahead)
      batch.then(
        ({ release }) => release(),
        () => {},
      );
  }
}

/** Gives batches of a run's pictures, whatever they are read from. */
export type ReadBatches = (options: BatchOptions) => AsyncGenerator<LoadedBatch>;

/** Which pictures the batches of one epoch of a split have. */
export interface BatchPlan {
  readonly count: number;
  /** The most pictures in one. */
  readonly size: number;
  readonly samplesOf: (batch: number) => Uint32Array;
  /** Of balanced batches, what keys the augmentation of each. */
  readonly roundsOf?: (batch: number) => Uint32Array;
}

export function planBatches(store: Store, options: BatchOptions): BatchPlan {
  const { samples, rounds } = orderOf(store, options);
  const size = picturesPerBatch(options);
  const count = Math.ceil(samples.length / size);
  const startOf = (batch: number): number =>
    options.shuffle ? Math.floor((batch * samples.length) / count) : Math.min(batch * size, samples.length);
  const partOf = (order: Uint32Array) => (batch: number) => order.slice(startOf(batch), startOf(batch + 1));
  return { count, size, samplesOf: partOf(samples), roundsOf: rounds && partOf(rounds) };
}

/** How many batches `batches` gives in a whole epoch. */
export function countBatches(store: Store, options: Pick<BatchOptions, "split" | "batchSize" | "views">): number {
  return Math.ceil(store.count(options.split) / picturesPerBatch(options));
}

function picturesPerBatch({ batchSize, views }: Pick<BatchOptions, "batchSize" | "views">): number {
  const perPicture = viewCount(views);
  const size = Math.floor(batchSize / perPicture);
  if (!(size >= 1))
    throw new AlexnetError(
      "invalid-option",
      `batch size ${batchSize}: too small; ${perPicture} views need at least as many`,
    );
  return size;
}

function viewCount(views: BatchOptions["views"]): number {
  if (typeof views === "number") return views;
  return views === "ten" ? 10 : 1;
}

function orderOf(store: Store, { split, shuffle, balanced, seed = 0, epoch = 0 }: BatchOptions): EpochOrder {
  const count = store.count(split);
  if (!shuffle) return { samples: Uint32Array.from({ length: count }, (_, i) => i) };
  if (balanced) return balancedOrder(store.labels(split), { seed, epoch });
  return { samples: permutation(count, seed, Purpose.shuffle, epoch) };
}

/** Batches of which one is loaded: those of balanced ones have their rounds. */
interface OneBatchOptions extends BatchOptions {
  readonly rounds?: Uint32Array;
}

async function load(
  store: Store,
  loader: Loader,
  samples: Uint32Array,
  size: number,
  options: OneBatchOptions,
): Promise<LoadedBatch> {
  const bytes = pictureBytes(store.info.pictureSize);
  const slot = loader.take(size * bytes);
  await loader.pool.run((thread) => thread.load(options.split, samples, slot));
  return {
    pictures: new Uint8Array(slot, 0, samples.length * bytes),
    ...viewsAndLabels(store, samples, options),
    samples,
    release: () => loader.giveBack(slot),
  };
}

/** All pictures of a store as they are, split by split in their order. */
export async function* everyPicture(
  store: Store,
  options: Pick<BatchOptions, "batchSize" | "cropSize" | "signal"> & { readonly workers: number | null },
): AsyncGenerator<LoadedBatch> {
  const { workers, ...rest } = options;
  for (const split of splits)
    yield* batches(store, { ...rest, split, views: "centre", ...(workers !== null && { workers }) });
}

/** @param placeOf gives the index of the i-th sample's picture among those that the engine has */
export function viewsAndLabels(
  store: Store,
  samples: Uint32Array,
  options: OneBatchOptions,
  placeOf = (i: number): number => i,
): Pick<Batch, "views" | "labels"> {
  const all = store.labels(options.split);
  const views: View[] = [];
  const labels: number[] = [];
  samples.forEach((sample, i) => {
    const label = all[sample] ?? outside(sample);
    for (const view of viewsOfSample(store, sample, placeOf(i), {
      ...options,
      epoch: options.rounds?.[i] ?? options.epoch,
    })) {
      views.push(view);
      labels.push(label);
    }
  });
  return { views, labels: Int32Array.from(labels) };
}

function outside(sample: number): never {
  throw new RangeError(`picture ${sample} is not in the split`);
}

function viewsOfSample(store: Store, sample: number, picture: number, options: BatchOptions): View[] {
  const { cropSize, views, seed = 0, epoch = 0, crops, mirrors, colourDeviation = 0.1 } = options;
  const { pictureSize } = store.info;
  if (views !== "augmented") return viewsOf(viewCount(views), { pictureSize, cropSize }, picture);
  const { colour } = store;
  const drawn = { crops, mirrors, colour, colourDeviation };
  return [augmentedView({ seed, epoch, sample, pictureSize, cropSize, ...drawn }, picture)];
}

/** The threads that read one store, and memory that batches left behind. Kept from epoch to epoch. */
class Loader {
  readonly pool: Pool<LoadSetup, LoadCalls>;
  readonly #free = new Set<SharedArrayBuffer>();

  constructor(
    { path, info }: Store,
    readonly workers: number,
  ) {
    const script = new URL("./load-worker.js", import.meta.url);
    const { encoding, pictureSize } = info;
    this.pool = new Pool(script, workers, { path, encoding, pictureSize }, `${path}: a thread that loads pictures`);
  }

  take(bytes: number): SharedArrayBuffer {
    for (const slot of this.#free) {
      if (slot.byteLength !== bytes) continue;
      this.#free.delete(slot);
      return slot;
    }
    this.#free.clear(); // of another batch size
    return new SharedArrayBuffer(bytes);
  }

  giveBack(slot: SharedArrayBuffer): void {
    this.#free.add(slot);
  }
}

const loaders = new WeakMap<Store, Map<number, Loader>>();

function loaderOf(store: Store, workers: number): Loader {
  const known = loaders.get(store) ?? new Map<number, Loader>();
  loaders.set(store, known);
  const loader = known.get(workers) ?? new Loader(store, workers);
  if (!known.has(workers)) {
    known.set(workers, loader);
    store.onClose(() => loader.pool.close());
  }
  return loader;
}
