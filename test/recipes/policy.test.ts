import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  afterEpoch,
  describeRates,
  initialPolicyState,
  learningRateOf,
  type PolicyState,
} from "#src/recipes/policy.js";
import type { Recipe } from "#src/recipes/recipe.js";
import { recipeByName } from "#src/recipes/recipes.js";

const paper = recipeByName("paper");
const small = recipeByName("small");

function follow(errors: readonly number[], guessing = 1): { readonly rates: number[]; readonly state: PolicyState } {
  const rates: number[] = [];
  let state = initialPolicyState;
  errors.forEach((error, epoch) => {
    rates.push(learningRateOf(paper, state, { epoch, batch: 0, batches: 4 }));
    state = afterEpoch(paper.policy, state, { error, guessing });
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

  test("waits until something is learnt: an error of guessing has not stopped improving", () => {
    const start = Array<number>(40).fill(0.99);
    const { rates, state } = follow([...start, 0.9, ...Array<number>(7).fill(0.9)], 0.985);
    expect(rates.findIndex((rate) => rate < 0.01)).toBe(start.length + 6);
    expect(state.drops).toBe(1);
  });

  test("a state that went through JSON goes on the same", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 60 }), fc.nat(60), (errors, at) => {
        const whole = follow(errors).state;
        const before: PolicyState = JSON.parse(JSON.stringify(follow(errors.slice(0, at)).state));
        const resumed = errors
          .slice(at)
          .reduce((state, error) => afterEpoch(paper.policy, state, { error, guessing: 1 }), before);
        expect(resumed).toEqual(whole);
      }),
    );
  });
});

describe("step", () => {
  test("small: divided by ten at 60 % and 80 % of the epochs", () => {
    const rates = Array.from({ length: 10 }, (_, epoch) =>
      learningRateOf({ ...small, epochs: 10 }, initialPolicyState, { epoch, batch: 3, batches: 4 }),
    );
    expect(rates.slice(0, 6)).toEqual(Array(6).fill(0.01));
    expect(rates.slice(6, 8)).toEqual(Array(2).fill(0.001));
    expect(rates.slice(8)).toEqual(Array(2).fill(0.0001));
  });

  test("errors do not matter", () => {
    const state = afterEpoch(small.policy, { drops: 0, best: 0.1, stale: 100 }, { error: 0.9, guessing: 1 });
    expect(state.drops).toBe(0);
  });
});

/** The rate of each step of some epochs of 4 batches. */
function ratesOf(recipe: Pick<Recipe, "learningRate" | "warmUp" | "policy">, epochs: number): number[] {
  return Array.from({ length: 4 * epochs }, (_, step) => {
    const place = { epoch: Math.floor(step / 4), batch: step % 4, batches: 4 };
    return learningRateOf({ ...recipe, epochs }, initialPolicyState, place);
  });
}

describe("rates that change from step to step", () => {
  const flat = { learningRate: 0.8, warmUp: 0, policy: { kind: "step", fractions: [], factor: 10 } } as const;

  test("a warm-up rises evenly and ends at the full rate", () => {
    expect(ratesOf({ ...flat, warmUp: 2 }, 3).map((rate) => Number(rate.toFixed(9)))).toEqual([
      ...[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8],
      ...[0.8, 0.8, 0.8, 0.8],
    ]);
  });

  test("linear falls by as much at each step and would be 0 one step after the last", () => {
    const rates = ratesOf({ ...flat, policy: { kind: "linear" } }, 2);
    expect(rates.map((rate) => Number(rate.toFixed(9)))).toEqual([0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1]);
  });

  test("cosine is half the rate half-way, and falls slowest at both ends", () => {
    const rates = ratesOf({ ...flat, policy: { kind: "cosine" } }, 2);
    expect(rates[0]).toBe(0.8);
    expect(rates[4]).toBeCloseTo(0.4, 12);
    const falls = rates.slice(1).map((rate, i) => rates[i] - rate);
    expect(Math.max(...falls)).toBeCloseTo(falls[3], 12);
    expect(Math.min(...falls)).toBeCloseTo(falls[0], 12);
    expect(falls.every((fall) => fall > 0)).toBe(true);
  });

  test("are told to people", () => {
    expect(describeRates(paper)).toBe("0.01, divided by 10 after 5 epochs without a lower error, 3 times at most");
    expect(describeRates(small)).toBe("0.01, divided by 10 at 60 % and 80 % of the epochs");
    expect(describeRates({ ...flat, warmUp: 1, policy: { kind: "linear" } })).toBe(
      "0.8, rising over the first epoch, falling evenly to 0",
    );
    expect(describeRates({ ...flat, warmUp: 2.5, policy: { kind: "cosine" } })).toBe(
      "0.8, rising over the first 2.5 epochs, falling along a cosine to 0",
    );
  });
});
