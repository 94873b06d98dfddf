import type { Program } from "../../engine/engine.js";
import { AlexnetError } from "../../errors.js";
import type { ProgressEvent, Task } from "../../task.js";
import { pictureCount, type Store } from "../store.js";
import { type BatchOptions, everyPicture, type LoadedBatch, planBatches, viewsAndLabels } from "./batches.js";

export interface HoldingOptions {
  readonly program: Program;
  readonly store: Store;
  readonly cropSize: number;
  readonly workers: number | null;
}

/**
 * Has the program hold all of a store's pictures, split after split in their order, where its memory has the capacity.
 * @returns for how many there is; 0 where the engine's device has no memory of its own
 * @throws AlexnetError "interrupted" once the signal is given.
 */
export async function holdPictures(options: HoldingOptions, task: Task<ProgressEvent>): Promise<number> {
  const { program, store, cropSize, workers } = options;
  const { signal, report } = task;
  const total = pictureCount(store);
  const capacity = await program.reserve(total);
  if (capacity < total) return capacity;
  let done = 0;
  const { batchSize } = program;
  for await (const { pictures, samples, release } of everyPicture(store, { batchSize, cropSize, workers, signal })) {
    await program.hold(pictures);
    release();
    done += samples.length;
    report({ kind: "progress", of: "bringing pictures into the GPU's memory", done, total });
  }
  return capacity;
}

/** As `batches` of the store, for a program that holds its pictures: batches only say what is seen of which. */
export async function* heldBatches(store: Store, options: BatchOptions): AsyncGenerator<LoadedBatch> {
  const { count, samplesOf, roundsOf } = planBatches(store, options);
  const first = options.split === "train" ? 0 : store.count("train");
  for (let i = options.firstBatch ?? 0; i < count; i++) {
    const samples = samplesOf(i);
    const seen = viewsAndLabels(
      store,
      samples,
      { ...options, rounds: roundsOf?.(i) },
      (place) => first + (samples[place] ?? 0),
    );
    yield { pictures: noPictures, held: true, ...seen, samples, release: () => {} };
    if (options.signal?.aborted) throw new AlexnetError("interrupted", "naming pictures: stopped");
  }
}

const noPictures = new Uint8Array();
