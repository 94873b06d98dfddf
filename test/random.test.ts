import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { below, bits, mix, normal, normals, permutation, uniform } from "#src/random.js";

const COUNT = 20_000;
const mean = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + b, 0) / values.length;

/** Of how often each of `cells` values came, against all equally often: (chi-squared - its mean) / its deviation. */
function unevenness(draws: readonly number[], cells: number): number {
  const counts = new Float64Array(cells);
  for (const draw of draws) counts[draw]++;
  const expected = draws.length / cells;
  const chiSquared = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  return (chiSquared - (cells - 1)) / Math.sqrt(2 * (cells - 1));
}

describe("draws", () => {
  it("never change: a seed of old gives the same training tomorrow", () => {
    expect([mix(1), bits(), bits(1, 2, 3), bits(2 ** 40, -1)]).toEqual([
      1364076727, 2462723854, 1551722663, 2470297675,
    ]);
    expect([uniform(1), below(100, 1, 2)]).toEqual([0.04841263103298843, 35]);
    expect([...permutation(8, 1)]).toEqual([4, 7, 1, 2, 0, 5, 3, 6]);
    expect(normal(1, 2)).toBeCloseTo(-0.33043513367133004, 12); // the last bits are the platform's sine's
    const values = new Float32Array(3);
    normals(values, 1, 3);
    for (const [i, value] of [0.40017756819725037, -0.7799809575080872, -0.006133162882179022].entries())
      expect(values[i]).toBeCloseTo(value, 6);
  });

  it("are uniform, by any of their keys", () => {
    for (const keyed of [
      (i: number) => bits(i),
      (i: number) => bits(7, i),
      (i: number) => bits(i, 1, 2),
      (i: number) => bits(1, 2, 3, i),
    ])
      for (const shift of [0, 8, 16, 24]) {
        const draws = Array.from({ length: COUNT }, (_, i) => (keyed(i) >>> shift) & 255);
        expect(Math.abs(unevenness(draws, 256))).toBeLessThan(5);
      }
  });

  it("of neighbouring keys do not depend on each other", () => {
    for (const other of [
      (i: number) => bits(1, 3, i + 1),
      (i: number) => bits(2, 3, i),
      (i: number) => bits(1, 4, i),
      (i: number) => bits(1, 3, i, 0),
    ]) {
      const pairs = Array.from({ length: COUNT }, (_, i) => (bits(1, 3, i) >>> 28) * 16 + (other(i) >>> 28));
      expect(Math.abs(unevenness(pairs, 256))).toBeLessThan(5);
    }
  });

  it("see every bit of a key, the sign and those above 32 included", () => {
    const keys = [0, 1, -1, 2 ** 31, 2 ** 32, 2 ** 32 + 1, 2 ** 40, 2 ** 53 - 1];
    expect(new Set(keys.map((key) => bits(5, key))).size).toBe(keys.length);
    expect(new Set([bits(), bits(0), bits(0, 0), bits(0, 0, 0)]).size).toBe(4);
  });

  it("are 32 bits without sign; uniform is at least 0 and below 1", () => {
    fc.assert(
      fc.property(fc.array(fc.maxSafeInteger()), (keys) => {
        const draw = bits(...keys);
        expect(Number.isInteger(draw) && draw >= 0 && draw < 2 ** 32).toBe(true);
        expect(uniform(...keys)).toBe(draw / 2 ** 32);
      }),
      { seed: 1 },
    );
  });

  it("below a bound are all of its numbers, equally often", () => {
    for (const bound of [1, 2, 30, 100]) {
      const draws = Array.from({ length: COUNT }, (_, i) => below(bound, 9, i));
      expect(new Set(draws).size).toBe(bound);
      if (bound > 1) expect(Math.abs(unevenness(draws, bound))).toBeLessThan(5);
    }
  });

  it("mixing loses nothing: different numbers stay different", () => {
    expect(new Set(Array.from({ length: COUNT }, (_, i) => mix(i))).size).toBe(COUNT);
  });
});

describe("normal draws", () => {
  const single = Float64Array.from({ length: COUNT }, (_, i) => normal(3, i));
  const many = new Float32Array(COUNT);
  normals(many, 1, 3);

  it.each([
    ["one by one", single],
    ["by the array", many],
  ])("have the moments and tails of the normal distribution: %s", (_name, values) => {
    const moment = (power: number): number => mean(Array.from(values, (value) => value ** power));
    // five deviations of each moment's own: sqrt(E x^2p - (E x^p)^2) / sqrt(count)
    expect(Math.abs(moment(1))).toBeLessThan(5 * Math.sqrt(1 / COUNT));
    expect(Math.abs(moment(2) - 1)).toBeLessThan(5 * Math.sqrt(2 / COUNT));
    expect(Math.abs(moment(3))).toBeLessThan(5 * Math.sqrt(15 / COUNT));
    expect(Math.abs(moment(4) - 3)).toBeLessThan(5 * Math.sqrt(96 / COUNT));
    const tail = mean(Array.from(values, (value) => (Math.abs(value) > 1.959964 ? 1 : 0)));
    expect(Math.abs(tail - 0.05)).toBeLessThan(5 * Math.sqrt((0.05 * 0.95) / COUNT));
    expect(values.every(Number.isFinite)).toBe(true);
  });

  it("of neighbours in an array are independent", () => {
    for (const distance of [1, 2, 3]) {
      const products = Array.from(many.subarray(distance), (value, i) => value * many[i]);
      expect(Math.abs(mean(products))).toBeLessThan(5 * Math.sqrt(1 / COUNT));
    }
  });

  it("fill any length with the deviation asked for", () => {
    const short = new Float32Array(7);
    normals(short, 1, 3);
    expect(short).toEqual(many.slice(0, 7));
    const scaled = new Float32Array(7);
    normals(scaled, 0.01, 3);
    scaled.forEach((value, i) => {
      expect(value).toBeCloseTo(0.01 * many[i], 8);
    });
  });
});

describe("a permutation", () => {
  it("has every number once", () => {
    fc.assert(
      fc.property(fc.nat(500), fc.nat(), (count, seed) => {
        expect(permutation(count, seed).toSorted()).toEqual(Uint32Array.from({ length: count }, (_, i) => i));
      }),
      { seed: 1 },
    );
  });

  it("is the same for the same keys, another for others", () => {
    expect(permutation(100, 1, 2)).toEqual(permutation(100, 1, 2));
    expect(permutation(100, 1, 2)).not.toEqual(permutation(100, 1, 3));
    expect(permutation(100, 1, 2)).not.toEqual(permutation(100, 2, 2));
  });

  it("puts each number in each place equally often", () => {
    const places = Array.from({ length: COUNT }, (_, seed) => Array.from(permutation(5, seed)));
    for (let place = 0; place < 5; place++)
      expect(
        Math.abs(
          unevenness(
            places.map((order) => order[place]),
            5,
          ),
        ),
      ).toBeLessThan(5);
  });
});
