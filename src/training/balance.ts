import { countLabels } from "../store/count-labels.js";
import type { BatchOptions, LoadedBatch, ReadBatches } from "../store/reading/batches.js";

/**
 * By class, n / (K n_c): n pictures, K classes that have some, n_c of the class. Every class then weighs the same in the
 * sum of the losses, and the weights' mean over the pictures is 1, so that the gradient keeps its scale. 0 of none.
 */
export function classWeights(labels: Int32Array, classes: number): Float32Array {
  const counts = countLabels(labels, classes);
  const present = counts.filter((count) => count > 0).length;
  return Float32Array.from(counts, (count) => (count === 0 ? 0 : labels.length / (present * count)));
}

/** The same batches, those of training with the weight of each sample's class. */
export function weighed(read: ReadBatches, weights: Float32Array): ReadBatches {
  return async function* weighedBatches(options: BatchOptions): AsyncGenerator<LoadedBatch> {
    for await (const batch of read(options))
      yield options.split === "train"
        ? { ...batch, weights: Float32Array.from(batch.labels, (label) => weights[label] ?? 0) }
        : batch;
  };
}
