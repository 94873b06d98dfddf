import type { Program } from "../engine/engine.js";
import type { Split } from "../network/picture.js";
import { batches, type LoadedBatch, type ReadBatches } from "../store/reading/batches.js";
import type { Store } from "../store/store.js";
import { type ProgressEvent, type Task, throwIfStopped } from "../task.js";
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
}

/** Gets a picture's probabilities, one per class, the network's output it should have, and its index in the split. */
export type OnProbabilities = (probabilities: Float64Array, label: number, sample: number) => void;

/**
 * What `program` makes of the pictures of a split, in order; probabilities are averaged over the views of a picture.
 * Reports how many pictures are "evaluating".
 * @throws AlexnetError "interrupted" when the signal stopped it.
 */
export async function evaluateSplit(
  program: Program,
  store: Store,
  onProbabilities: OnProbabilities,
  options: SplitOptions,
  task: Task<ProgressEvent>,
): Promise<void> {
  const { split, views, cropSize, labels: outputs } = options;
  const { read = (wanted) => batches(store, wanted) } = options;
  const { batchSize } = program;
  const total = store.count(split);
  let done = 0;
  const workers = options.workers ?? undefined;
  const source = read({ split, views, cropSize, batchSize, workers, signal: task.signal });
  const labels = store.labels(split);
  const predict = ({ samples: _samples, release: _release, ...seen }: LoadedBatch) => program.predict(seen);
  for await (const [{ samples, release }, probabilities] of oneAhead(source, predict)) {
    const classes = probabilities.length / (samples.length * views); // the network's, which may be others than the store's
    for (const [i, average] of averageViews(probabilities, views, classes).entries()) {
      const sample = samples[i] ?? 0;
      const label = labels[sample] ?? 0;
      onProbabilities(average, outputs?.[label] ?? label, sample);
    }
    done += samples.length;
    release();
    task.report({ kind: "progress", of: "evaluating", done, total });
    throwIfStopped(task, `evaluating, after ${done} of ${total} pictures`);
  }
}

/** Of (pictures x views, classes), the mean over each picture's views: one array per picture. */
export function averageViews(probabilities: Float32Array, views: number, classes: number): readonly Float64Array[] {
  const pictures = probabilities.length / (views * classes);
  return Array.from({ length: pictures }, (_, picture) => {
    const average = new Float64Array(classes);
    const start = picture * views * classes;
    probabilities.subarray(start, start + views * classes).forEach((value, i) => {
      average[i % classes] = (average[i % classes] ?? 0) + value / views;
    });
    return average;
  });
}
