import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Nearest } from "#src/evaluation/nearest.js";

describe("the nearest of values known within bounds", () => {
  it("are always among the candidates", () => {
    const values = fc.array(fc.record({ value: fc.integer({ min: 0, max: 50 }), below: fc.nat(3), above: fc.nat(3) }));
    fc.assert(
      fc.property(values, fc.integer({ min: 1, max: 6 }), (items, count) => {
        const nearest = new Nearest(count);
        items.forEach(({ value, below, above }, row) => {
          nearest.offer(row, value - below, value + above);
        });
        const smallest = items
          .map(({ value }, row) => ({ value, row }))
          .sort((a, b) => a.value - b.value || a.row - b.row)
          .slice(0, count);
        const worst = smallest.at(-1)?.value ?? 0;
        const must = items.flatMap(({ value }, row) => (value < worst ? [row] : []));
        expect(nearest.candidates()).toEqual(expect.arrayContaining(must));
        expect(nearest.candidates().length).toBeGreaterThanOrEqual(smallest.length);
      }),
      { seed: 1 },
    );
  });

  it("keep few candidates of many, and all of equal ones", () => {
    const falling = new Nearest(2);
    for (let i = 100_000; i > 0; i--) falling.offer(i, i, i);
    expect(falling.candidates()).toEqual([2, 1]);
    const equal = new Nearest(2);
    for (let i = 0; i < 20_000; i++) equal.offer(i, 0.5, 1.5);
    expect(equal.candidates()).toHaveLength(20_000);
  });
});
