import { shortPercent } from "../text.js";
import type { LearningRatePolicy, Recipe } from "./recipe.js";

/** What a policy remembers from epoch to epoch; plain JSON, so that it travels with a checkpoint. */
export interface PolicyState {
  /** Times the rate was divided because of a plateau. */
  readonly drops: number;
  /** The lowest error seen; null before the first epoch's end. */
  readonly best: number | null;
  /** Epochs since the lowest error, or since the latest drop; 0 as long as nothing was learnt. */
  readonly stale: number;
}

export const initialPolicyState: PolicyState = { drops: 0, best: null, stale: 0 };

/** A step's place: the first epoch and the first batch are 0. */
export interface Place {
  readonly epoch: number;
  readonly batch: number;
  /** Batches per epoch. */
  readonly batches: number;
}

/** The learning rate of a step. */
export function learningRateOf(
  { learningRate, warmUp, policy, epochs }: Pick<Recipe, "learningRate" | "warmUp" | "policy" | "epochs">,
  state: PolicyState,
  { epoch, batch, batches }: Place,
): number {
  const warmth = warmUp === 0 ? 1 : Math.min(1, (epoch + (batch + 1) / batches) / warmUp);
  const full = learningRate * warmth;
  const done = (epoch + batch / batches) / epochs;
  switch (policy.kind) {
    case "plateau":
      return full / policy.factor ** state.drops;
    case "step":
      return (
        full / policy.factor ** policy.fractions.filter((fraction) => epoch >= Math.round(fraction * epochs)).length
      );
    case "linear":
      return full * (1 - done);
    case "cosine":
      return (full * (1 + Math.cos(Math.PI * done))) / 2;
  }
}

/**
 * The state after an epoch that ended with this validation top-1 error. An error stops improving only where it has begun
 * to: until one was below `guessing` (see `errorOfGuessing`) no epoch counts as stale.
 */
export function afterEpoch(
  policy: LearningRatePolicy,
  state: PolicyState,
  { error, guessing }: { readonly error: number; readonly guessing: number },
): PolicyState {
  const improved = state.best === null || error < state.best;
  const best = improved || state.best === null ? error : state.best;
  const stale = improved || best >= guessing ? 0 : state.stale + 1;
  if (policy.kind === "plateau" && stale >= policy.patience && state.drops < policy.drops)
    return { drops: state.drops + 1, best, stale: 0 };
  return { drops: state.drops, best, stale };
}

/** "0.01, divided by 10 at a plateau", for people. */
export function describeRates({
  learningRate,
  warmUp,
  policy,
}: Pick<Recipe, "learningRate" | "warmUp" | "policy">): string {
  const rise = warmUp === 0 ? "" : `, rising over the first ${warmUp === 1 ? "epoch" : `${warmUp} epochs`}`;
  return `${learningRate}${rise}, ${describePolicy(policy)}`;
}

function describePolicy(policy: LearningRatePolicy): string {
  switch (policy.kind) {
    case "plateau":
      return `divided by ${policy.factor} after ${policy.patience} epochs without a lower error, ${policy.drops} times at most`;
    case "step":
      return `divided by ${policy.factor} at ${policy.fractions.map(shortPercent).join(" and ")} of the epochs`;
    case "linear":
      return "falling evenly to 0";
    case "cosine":
      return "falling along a cosine to 0";
  }
}
