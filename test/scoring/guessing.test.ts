import { expect, test } from "vitest";
import { errorOfGuessing } from "#src/scoring/guessing.js";

const labels = (...counts: readonly number[]) =>
  Int32Array.from(counts.flatMap((count, label) => Array<number>(count).fill(label)));

test("with equal classes, three deviations below the error of any one answer", () => {
  expect(errorOfGuessing(labels(250, 250, 250, 250))).toBeCloseTo(0.75 - 3 * Math.sqrt((0.25 * 0.75) / 1000), 12);
});

test("with unequal ones, the commonest counts: always naming it is no knowledge", () => {
  expect(errorOfGuessing(labels(10, 900, 90))).toBeLessThan(0.1);
  expect(errorOfGuessing(labels(10, 900, 90))).toBeGreaterThan(0.07);
});

test("no pictures, or one class: nothing is better than guessing", () => {
  expect(errorOfGuessing(labels())).toBe(0);
  expect(errorOfGuessing(labels(7))).toBe(0);
});
