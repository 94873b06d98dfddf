import type { Program, StepOptions, StepResult } from "../engine/engine.js";
import type { Batch } from "../network/picture.js";
import type { World } from "./world.js";

/** One rank's part of a training step of the whole world. */
export interface SharedStepOptions extends StepOptions {
  /** Samples of the whole batch, on all ranks. */
  readonly samples: number;
  /** The place of this rank's first sample in the whole batch: its dropout is then that of one process. */
  readonly firstSample: number;
}

/**
 * A step on a batch of which every rank has a share. The gradients of a bucket are summed while the next bucket's are
 * computed. Each rank then makes the same update, by the mean over the whole batch; none where the loss isn't finite.
 * @param program compiled with `bucketBytes`, unless the world is of one
 * @returns the loss and the counts of the whole batch, the same on every rank
 */
export async function sharedStep(
  world: World,
  program: Program,
  batch: Batch,
  { samples, firstSample, seed, ...rates }: SharedStepOptions,
): Promise<StepResult> {
  if (world.size === 1) return program.step(batch, { ...rates, seed });
  const forward = program.forward(batch, { seed, samples, firstSample });
  const ready = program.buckets.map((_, bucket) => program.backward(bucket));
  const all = Promise.all([forward, ...ready]); // the first that fails is what fails; none is left unhandled
  let sums = Promise.resolve();
  for (const [i, { values }] of program.buckets.entries())
    sums = sums.then(() => ready[i]).then(() => world.sum(values));
  await Promise.all([all, sums]);
  const own = await forward;
  const { loss, correct, correctTop5 } = own;
  const totals = Float64Array.of(loss, correct, correctTop5 ?? 0);
  await world.sum(totals);
  const [wholeLoss = 0, wholeCorrect = 0, wholeCorrectTop5 = 0] = totals;
  if (Number.isFinite(wholeLoss)) await program.update(rates);
  const result = { loss: wholeLoss, correct: wholeCorrect };
  return correctTop5 === undefined ? result : { ...result, correctTop5: wholeCorrectTop5 };
}
