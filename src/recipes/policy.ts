import type { LearningRatePolicy, Recipe } from "./recipe.js";

/** What a policy remembers from epoch to epoch; plain JSON, so that it travels with a checkpoint. */
export interface PolicyState {
  /** Times the rate was divided because of a plateau. */
  readonly drops: number;
  /** The lowest error seen; null before the first epoch's end. */
  readonly best: number | null;
  /** Epochs since the lowest error, or since the latest drop. */
  readonly stale: number;
}

export const initialPolicyState: PolicyState = { drops: 0, best: null, stale: 0 };

/** The learning rate of an epoch, the first being 0. */
export function learningRateOf(
  recipe: Pick<Recipe, "learningRate" | "policy" | "epochs">,
  state: PolicyState,
  epoch: number,
): number {
  const { policy, epochs } = recipe;
  const drops =
    policy.kind === "plateau"
      ? state.drops
      : policy.fractions.filter((fraction) => epoch >= Math.round(fraction * epochs)).length;
  return recipe.learningRate / policy.factor ** drops;
}

/** The state after an epoch that ended with this validation top-1 error. */
export function afterEpoch(policy: LearningRatePolicy, state: PolicyState, error: number): PolicyState {
  const improved = state.best === null || error < state.best;
  const best = improved ? error : state.best;
  const stale = improved ? 0 : state.stale + 1;
  if (policy.kind === "plateau" && stale >= policy.patience && state.drops < policy.drops)
    return { drops: state.drops + 1, best, stale: 0 };
  return { drops: state.drops, best, stale };
}
