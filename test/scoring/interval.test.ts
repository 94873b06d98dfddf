import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { wilsonInterval } from "#src/scoring/interval.js";

describe("Wilson's interval", () => {
  // Newcombe 1998, table I, method 3.
  it.each([
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ])("of %i in %i is %d to %d", (hits, trials, low, high) => {
    const interval = wilsonInterval(hits, trials);
    expect(interval.low).toBeCloseTo(low, 4);
    expect(interval.high).toBeCloseTo(high, 4);
  });

  it("holds the share, stays in 0 to 1, and is the mirror image for misses", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100_000 }), fc.double({ min: 0, max: 1, noNaN: true }), (trials, part) => {
        const hits = Math.round(trials * part);
        const { low, high } = wilsonInterval(hits, trials);
        const misses = wilsonInterval(trials - hits, trials);
        expect(low >= 0 && low <= hits / trials && high >= hits / trials && high <= 1).toBe(true);
        expect(misses.low).toBeCloseTo(1 - high, 12);
      }),
      { seed: 1 },
    );
  });

  it("without draws says nothing", () => {
    expect(wilsonInterval(0, 0)).toEqual({ low: 0, high: 1 });
  });
});
