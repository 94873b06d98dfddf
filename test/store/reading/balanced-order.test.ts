import fc from "fast-check";
import { expect, test } from "vitest";
import { balancedOrder } from "#src/store/reading/balanced-order.js";

/** Labels of classes of these sizes, mixed up. */
function labelsOf(sizes: readonly number[]): Int32Array {
  const labels = sizes.flatMap((size, label) => Array.from({ length: size }, () => label));
  return Int32Array.from(labels, (_, i) => labels[(i * 7919) % labels.length]);
}

const sizes = fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 8 }).filter((all) => {
  const count = all.reduce((sum, size) => sum + size, 0);
  return count > 0 && count % 7919 !== 0;
});

test("an epoch has as many pictures as there are, of each class as many as of every other, to one", () => {
  fc.assert(
    fc.property(sizes, fc.nat(9), (perClass, epoch) => {
      const labels = labelsOf(perClass);
      const { samples } = balancedOrder(labels, { seed: 3, epoch });
      expect(samples).toHaveLength(labels.length);
      const shown = perClass.map((_, label) => samples.filter((sample) => labels[sample] === label).length);
      const present = shown.filter((_, label) => perClass[label] > 0);
      expect(Math.max(...present) - Math.min(...present)).toBeLessThanOrEqual(1);
    }),
  );
});

test("a class's pictures are all shown before any comes again, from epoch to epoch", () => {
  const labels = labelsOf([30, 5, 1]);
  const times = new Uint32Array(labels.length);
  for (let epoch = 0; epoch < 10; epoch++) {
    for (const sample of balancedOrder(labels, { seed: 1, epoch }).samples) times[sample]++;
    for (const label of [0, 1, 2]) {
      const own = times.filter((_, sample) => labels[sample] === label);
      expect(Math.max(...own) - Math.min(...own), `class ${label}, epoch ${epoch}`).toBeLessThanOrEqual(1);
    }
  }
  expect(Math.min(...times)).toBe(4); // of 30: 12 places an epoch
});

test("a picture that comes twice in an epoch is in another round each time, and so augmented otherwise", () => {
  const { samples, rounds = [] } = balancedOrder(labelsOf([30, 2]), { seed: 1, epoch: 2 });
  const places = Array.from(samples, (sample, i) => `${sample} in round ${rounds[i]}`);
  expect(new Set(places).size).toBe(samples.length);
});

test("it is a function of seed and epoch", () => {
  const labels = labelsOf([30, 5, 3]);
  const order = (seed: number, epoch: number) => balancedOrder(labels, { seed, epoch });
  expect(order(1, 4)).toEqual(order(1, 4));
  expect(order(1, 4).samples).not.toEqual(order(1, 5).samples);
  expect(order(1, 4).samples).not.toEqual(order(2, 4).samples);
});

test("where classes are of one size, an epoch shows each picture once", () => {
  const { samples } = balancedOrder(labelsOf([12, 12, 12]), { seed: 5, epoch: 3 });
  expect([...samples].sort((a, b) => a - b)).toEqual(Array.from({ length: 36 }, (_, i) => i));
});
