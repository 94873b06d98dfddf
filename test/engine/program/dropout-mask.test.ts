import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dropoutMask } from "#src/engine/program/dropout-mask.js";

const UNITS = 4096;

function mask(rate: number, seed: number, layer: number, sample: number): Float64Array {
  const values = new Float64Array(UNITS);
  dropoutMask(values, rate, seed, layer, sample);
  return values;
}

const zeros = (values: Float64Array): number => values.reduce((count, value) => count + (value === 0 ? 1 : 0), 0);
const keys = fc.tuple(fc.nat(), fc.nat(30), fc.nat(1000));

describe("dropout", () => {
  it("zeroes a share of `rate` and scales the rest so that the mean stays 1", () => {
    fc.assert(
      fc.property(fc.constantFrom(0, 0.1, 0.5, 0.9), keys, (rate, own) => {
        const values = mask(rate, ...own);
        const deviation = Math.sqrt((rate * (1 - rate)) / UNITS);
        expect(Math.abs(zeros(values) / UNITS - rate)).toBeLessThanOrEqual(5 * deviation);
        expect(new Set(values.filter((value) => value !== 0))).toEqual(new Set([1 / (1 - rate)]));
        const mean = values.reduce((a, b) => a + b) / UNITS;
        expect(Math.abs(mean - 1)).toBeLessThanOrEqual((5 * deviation) / (1 - rate));
      }),
      { seed: 1, numRuns: 30 },
    );
  });

  it("is drawn anew for every step, layer and sample, and only for them", () => {
    fc.assert(
      fc.property(keys, ([seed, layer, sample]) => {
        const own = mask(0.5, seed, layer, sample);
        expect(mask(0.5, seed, layer, sample)).toEqual(own);
        for (const other of [
          mask(0.5, seed + 1, layer, sample),
          mask(0.5, seed, layer + 1, sample),
          mask(0.5, seed, layer, sample + 1),
        ]) {
          const alike = own.reduce((count, value, i) => count + (value === other[i] ? 1 : 0), 0);
          expect(Math.abs(alike / UNITS - 0.5)).toBeLessThan(5 * Math.sqrt(0.25 / UNITS));
        }
      }),
      { seed: 2, numRuns: 30 },
    );
  });

  it("does not depend on the number format or on how many units there are", () => {
    const short = new Float32Array(100);
    dropoutMask(short, 0.5, 3, 1, 4);
    expect([...short]).toEqual([...mask(0.5, 3, 1, 4).subarray(0, 100)]);
  });
});
