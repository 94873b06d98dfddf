import { batches } from "../dataset/batches.js";
import type { Split, Store } from "../dataset/store.js";
import type { Program } from "../engine/engine.js";
import { AlexnetError } from "../errors.js";
import type { Scorer } from "./scores.js";

/** The centre crop, or four corners and the centre with their mirrors (paper section 4.1). */
export const viewSets = { centre: 1, ten: 10 } as const;
export type ViewSet = keyof typeof viewSets;

export interface SplitOptions {
  readonly split: Split;
  readonly views: ViewSet;
  /** Of the network's input. */
  readonly cropSize: number;
  /** For each of the store's labels, the network's output; the same where left out. */
  readonly labels?: Int32Array | undefined;
  readonly workers?: number | null | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/**
 * Has `scorer` count how well `program` tells the pictures of a split apart; probabilities are averaged over the views
 * of a picture.
 * @throws AlexnetError "interrupted" when the signal stopped it.
 */
export async function evaluateSplit(
  program: Program,
  store: Store,
  scorer: Scorer,
  options: SplitOptions,
): Promise<void> {
  const { split, views, cropSize, workers, signal, onProgress, labels: outputs } = options;
  const { batchSize } = program;
  const total = store.count(split);
  let done = 0;
  const source = batches(store, { split, views, cropSize, batchSize, ...(workers != null && { workers }) });
  for await (const batch of source) {
    const { pictures, views: seen, labels, samples } = batch;
    const probabilities = await program.predict({ pictures, views: seen, labels });
    for (const [i, average] of averageViews(probabilities, viewSets[views], store.classes.length).entries()) {
      const label = store.labels(split)[samples[i]];
      scorer.add(average, outputs === undefined ? label : outputs[label]);
    }
    done += samples.length;
    batch.release();
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
