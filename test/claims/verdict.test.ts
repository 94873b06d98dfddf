import { describe, expect, it } from "vitest";
import { type ArmRun, measured } from "#src/claims/measure.js";
import { decide } from "#src/claims/verdict.js";
import { uniform } from "#src/random.js";

/** A run whose training error falls to these after each epoch. */
const falling = (seed: number, ...errors: readonly number[]): ArmRun => ({
  seed,
  curve: errors.map((trainingError, i) => ({
    epoch: i + 1,
    trainingLoss: trainingError,
    trainingError,
    validationError: null,
  })),
  wrong: [],
});

/** Of 2,000 pictures, each is wrong with this chance; the same pictures are hard for every run of a seed. */
const wrongWith = (chance: number, seed: number): number[] =>
  Array.from({ length: 2000 }, (_, picture) => (uniform(seed, picture) < chance ? 1 : 0));

describe("the verdict on paired differences", () => {
  const differences = (treatment: number, control: number): number[][] =>
    [1, 2, 3].map((seed) => {
      const better = wrongWith(treatment, seed);
      return wrongWith(control, seed).map((wrong, picture) => wrong - (better[picture] ?? 0));
    });

  it("supports an effect that chance does not explain", () => {
    const { verdict, effect, low, high } = decide(differences(0.2, 0.25), 0.005);
    expect(verdict).toBe("supports");
    expect(effect).toBeCloseTo(0.05, 1);
    expect(low).toBeGreaterThan(0);
    expect(high).toBeGreaterThan(effect);
  });

  it("does not support an effect of the other sign", () => {
    const { verdict, high } = decide(differences(0.25, 0.2), 0.005);
    expect(verdict).toBe("does not");
    expect(high).toBeLessThan(0);
  });

  it("does not support one that is surely smaller than the least that counts", () => {
    expect(decide(differences(0.2, 0.2), 0.005)).toMatchObject({ verdict: "does not", effect: 0, low: 0, high: 0 });
  });

  it("can't tell where the interval holds both", () => {
    const noisy = [[0.03], [-0.02], [0.01]];
    const { verdict, low, high } = decide(noisy, 0.005);
    expect(verdict).toBe("can't tell");
    expect(low).toBeLessThan(0);
    expect(high).toBeGreaterThan(0.005);
  });

  it("can't tell from one seed, however large the effect", () => {
    expect(decide([[1]], 0.1)).toMatchObject({ verdict: "can't tell", effect: 1 });
  });

  it("is the same each time", () => {
    expect(decide(differences(0.2, 0.22), 0.005)).toEqual(decide(differences(0.2, 0.22), 0.005));
  });

  it("has an interval that grows with what seeds differ by", () => {
    const spread = (by: number) => decide([[1 - by], [1], [1 + by]], 0.1);
    expect(spread(0.5).high - spread(0.5).low).toBeGreaterThan(spread(0.1).high - spread(0.1).low);
  });
});

describe("what is measured", () => {
  it("epochs to an error, between two epochs in proportion", () => {
    const runs = [falling(1, 0.6, 0.2, 0.1), falling(2, 0.5, 0.25, 0.2)];
    const { value, target, isConclusive } = measured({ kind: "epochs-to-error", error: 0.25 }, runs);
    expect(isConclusive).toBe(true);
    expect(target).toBe(0.25);
    expect(runs.map(value)).toEqual([1.875, 2]);
  });

  it("epochs to the lowest error that all runs reach, where one does not come so far: this decides nothing", () => {
    const [quick, slow] = [falling(1, 0.5, 0.3, 0.1), falling(1, 0.8, 0.6, 0.5)];
    const { value, target, difference, isConclusive } = measured({ kind: "epochs-to-error", error: 0.25 }, [
      quick,
      slow,
    ]);
    expect(isConclusive).toBe(false);
    expect(target).toBe(0.5);
    expect([value(quick), value(slow)]).toEqual([1, 3]);
    expect(difference(quick, slow)).toEqual([Math.log(3)]);
  });

  it("pictures that one side gets wrong and the other does not, one by one", () => {
    const [ours, theirs] = [
      { ...falling(1, 0.5), wrong: [0, 1, 0] },
      { ...falling(1, 0.5), wrong: [1, 1, 0] },
    ];
    const { value, difference } = measured({ kind: "validation-error" }, [ours, theirs]);
    expect(difference(ours, theirs)).toEqual([1, 0, 0]);
    expect(value(theirs)).toBeCloseTo(2 / 3);
  });

  it("the loss of the first epochs alone", () => {
    const { value } = measured({ kind: "early-loss", epochs: 2 }, []);
    expect(value(falling(1, 2, 1, 0))).toBe(1.5);
  });
});
