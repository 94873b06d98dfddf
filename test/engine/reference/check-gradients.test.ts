import { describe, expect, it } from "vitest";
import { checkGradients, compareGradient } from "#src/engine/reference/check-gradients.js";
import { parameterTable } from "#src/network/parameters.js";
import { smallNetwork } from "../../support/networks.js";

const passes = (analytic: number, slope: (step: number) => number, typical = 1): boolean =>
  compareGradient(0, analytic, slope, typical).error <= 1e-5;

describe("checking gradients", () => {
  it("finds those of every tensor right", () => {
    const checks = [...checkGradients(smallNetwork, { seed: 3, samples: 20 })];
    expect(checks.map(({ name }) => name)).toEqual(parameterTable(smallNetwork).map(({ name }) => name));
    expect(checks.filter(({ passed }) => !passed)).toEqual([]);
    for (const { worst, samples } of checks) {
      expect(worst.error).toBeLessThanOrEqual(1e-5);
      expect(samples).toBeGreaterThan(0);
    }
  });

  it("is a function of the seed", () => {
    const run = (seed: number) => [...checkGradients(smallNetwork, { seed, samples: 2 })];
    expect(run(1)).toEqual(run(1));
    expect(run(1)).not.toEqual(run(2));
  });

  it("finds a gradient wrong that is too large, missing, turned round or NaN", () => {
    expect(passes(0.5, () => 0.5)).toBe(true);
    expect(passes(0.5, () => 0.501)).toBe(false);
    expect(passes(0, () => 0.5)).toBe(false);
    expect(passes(-0.5, () => 0.5)).toBe(false);
    expect(passes(1000, () => 0.5)).toBe(false);
    expect(passes(Number.NaN, () => 0.5)).toBe(false);
    expect(passes(0.5, () => Number.NaN)).toBe(false);
  });

  it("measures small gradients against the tensor's typical one", () => {
    expect(passes(1e-9, () => 2e-9)).toBe(true);
    expect(passes(1e-9, () => 2e-9, 1e-8)).toBe(false);
  });

  it("does not take 0 for right where a whole tensor has no gradient", () => {
    expect(passes(0, () => 0, 0)).toBe(false);
  });

  it("shortens its step when a kink lies within it", () => {
    expect(passes(0.5, (step) => (step > 5e-7 ? 0.7 : 0.5))).toBe(true);
  });
});
