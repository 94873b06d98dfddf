import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { afterEpoch, initialPolicyState, learningRateOf, type PolicyState } from "#src/recipes/policy.js";
import { recipeByName } from "#src/recipes/recipes.js";

const paper = recipeByName("paper");
const small = recipeByName("small");

function follow(errors: readonly number[]): { readonly rates: number[]; readonly state: PolicyState } {
  const rates: number[] = [];
  let state = initialPolicyState;
  errors.forEach((error, epoch) => {
    rates.push(learningRateOf(paper, state, epoch));
    state = afterEpoch(paper.policy, state, error);
  });
  return { rates, state };
}

describe("plateau", () => {
  test("divides by ten after five epochs without a lower error", () => {
    const { rates } = follow([0.9, 0.8, 0.8, 0.81, 0.8, 0.85, 0.8, 0.7]);
    expect(rates.slice(0, 7)).toEqual(Array(7).fill(0.01));
    expect(rates[7]).toBeCloseTo(0.001, 12);
  });

  test("a drop waits five epochs for the next one, and there are three at most", () => {
    const { rates, state } = follow([0.9, ...Array<number>(40).fill(0.9)]);
    const lowered = rates.flatMap((rate, epoch) => (epoch > 0 && rate < rates[epoch - 1] ? [epoch] : []));
    expect(lowered).toEqual([6, 11, 16]);
    expect(rates.at(-1)).toBeCloseTo(1e-5, 15);
    expect(state.drops).toBe(3);
  });

  test("a state that went through JSON goes on the same", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 60 }), fc.nat(60), (errors, at) => {
        const whole = follow(errors).state;
        const before: PolicyState = JSON.parse(JSON.stringify(follow(errors.slice(0, at)).state));
        const resumed = errors.slice(at).reduce((state, error) => afterEpoch(paper.policy, state, error), before);
        expect(resumed).toEqual(whole);
      }),
    );
  });
});

describe("step", () => {
  test("small: divided by ten at 60 % and 80 % of the epochs", () => {
    const rates = Array.from({ length: 10 }, (_, epoch) =>
      learningRateOf({ ...small, epochs: 10 }, initialPolicyState, epoch),
    );
    expect(rates.slice(0, 6)).toEqual(Array(6).fill(0.01));
    expect(rates.slice(6, 8)).toEqual(Array(2).fill(0.001));
    expect(rates.slice(8)).toEqual(Array(2).fill(0.0001));
  });

  test("errors do not matter", () => {
    const state = afterEpoch(small.policy, { drops: 0, best: 0.1, stale: 100 }, 0.9);
    expect(state.drops).toBe(0);
  });
});
