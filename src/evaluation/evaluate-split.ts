import type { Program } from "../engine/engine.js";
import { AlexnetError } from "../errors.js";
import type { Split } from "../network/picture.js";
import { batches, type LoadedBatch, type ReadBatches } from "../store/reading/batches.js";
import type { Store } from "../store/store.js";
import { oneAhead } from "./one-ahead.js";

export interface SplitOptions {
  readonly split: Split;
  /** Of each picture, as `viewsOf` has them. */
  readonly views: number;
  /** Of the network's input. */
  readonly cropSize: number;
  /** For each of the store's labels, the network's output; the same where left out. */
  readonly labels?: Int32Array;
  readonly workers?: number | null;
  /** Where the store's pictures come from, if not from the store itself. */
  readonly read?: ReadBatches;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

/** Gets a picture's probabilities, one per class, the network's output it should have, and its index in the split. */
export type OnProbabilities = (probabilities: Float64Array, label: number, sample: number) => void;

/**
 * What `program` makes of the pictures of a split, in order; probabilities are averaged over the views of a picture.
 * @throws AlexnetError "interrupted" when the signal stopped it.
 */
export async function evaluateSplit(
  program: Program,
  store: Store,
  onProbabilities: OnProbabilities,
  options: SplitOptions,
): Promise<void> {
  const { split, views, cropSize, workers, signal, onProgress, labels: outputs } = options;
  const { read = (wanted) => batches(store, wanted) } = options;
  const { batchSize } = program;
  const total = store.count(split);
  let done = 0;
  const source = read({ split, views, cropSize, batchSize, ...(workers != null && { workers }) });
  const predict = ({ samples: _samples, release: _release, ...seen }: LoadedBatch) => program.predict(seen);
  for await (const [{ samples, release }, probabilities] of oneAhead(source, predict)) {
    for (const [i, average] of averageViews(probabilities, views, store.classes.length).entries()) {
      const label = store.labels(split)[samples[i]];
      onProbabilities(average, outputs === undefined ? label : outputs[label], samples[i]);
    }
    done += samples.length;
    release();
    onProgress?.(done, total);
    if (signal?.aborted)
      throw new AlexnetError("interrupted", `stopped after ${done} of ${total} pictures`, { cause: signal.reason });
  }
}

/** Of (pictures x views, classes), the mean over each picture's views: one array per picture. */
export function averageViews(probabilities: Float32Array, views: number, classes: number): readonly Float64Array[] {
  const pictures = probabilities.length / (views * classes);
  return Array.from({ length: pictures }, (_, picture) => {
    const average = new Float64Array(classes);
    for (let view = 0; view < views; view++)
      for (let i = 0; i < classes; i++) average[i] += probabilities[(picture * views + view) * classes + i] / views;
    return average;
  });
}
