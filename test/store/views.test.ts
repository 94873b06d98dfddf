import { describe, expect, test } from "vitest";
import { bits } from "#src/random.js";
import { addSums, noSums, principalComponents, summarise } from "#src/store/colour.js";
import { PictureSummation } from "#src/store/picture-sums.js";
import { augmentedView, centreView, tenViews } from "#src/store/views.js";

const colour = {
  values: [3600, 400, 100],
  vectors: [
    [0.6, 0.6, Math.sqrt(0.28)],
    [0.8, -0.6, 0],
    [0, 0, 1],
  ],
} as const;
const options = { seed: 1, epoch: 0, sample: 0, pictureSize: 256, cropSize: 227, colour, colourDeviation: 0.1 };
const many = (count: number) => Array.from({ length: count }, (_, sample) => augmentedView({ ...options, sample }));

describe("views", () => {
  test("the centre, rounded down", () => {
    expect(centreView({ pictureSize: 256, cropSize: 227 }, 5)).toEqual({
      picture: 5,
      top: 14,
      left: 14,
      mirrored: false,
      colourShift: [0, 0, 0],
    });
    expect(centreView({ pictureSize: 256, cropSize: 256 })).toMatchObject({ top: 0, left: 0 });
  });

  test("ten: corners and centre, each with its mirror image", () => {
    const views = tenViews({ pictureSize: 256, cropSize: 227 }, 3);
    expect(views.map(({ top, left, mirrored }) => [top, left, mirrored])).toEqual(
      [
        [0, 0],
        [0, 29],
        [29, 0],
        [29, 29],
        [14, 14],
      ].flatMap(([top, left]) => [
        [top, left, false],
        [top, left, true],
      ]),
    );
    expect(views.every(({ picture }) => picture === 3)).toBe(true);
  });

  test("random crops reach every place, both ends included, and half are mirrored", () => {
    const views = many(20_000);
    for (const side of ["top", "left"] as const) {
      const counts = new Map<number, number>();
      for (const view of views) counts.set(view[side], (counts.get(view[side]) ?? 0) + 1);
      expect([...counts.keys()].sort((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, i) => i));
      for (const count of counts.values()) expect(Math.abs(count - 20_000 / 30)).toBeLessThan(130); // 5 deviations
    }
    expect(Math.abs(views.filter(({ mirrored }) => mirrored).length - 10_000)).toBeLessThan(360);
  });

  test("colour shifts have the deviation 0.1 sqrt(l) along each component", () => {
    const views = many(20_000);
    colour.vectors.slice(1).forEach((vector, i) => {
      const along = views.map(({ colourShift }) =>
        vector.reduce((sum, p, channel) => sum + p * colourShift[channel], 0),
      );
      const others = colour.vectors.map((other) => other.reduce((sum, p, channel) => sum + p * vector[channel], 0));
      const expected = Math.sqrt(others.reduce((sum, cosine, j) => sum + cosine ** 2 * 0.01 * colour.values[j], 0));
      const deviation = Math.sqrt(along.reduce((sum, value) => sum + value ** 2, 0) / along.length);
      expect(deviation / expected, `component ${i + 1}`).toBeCloseTo(1, 1);
    });
    expect(augmentedView({ ...options, colourDeviation: 0 }).colourShift).toEqual([0, 0, 0]);
  });

  test("depend on seed, epoch and sample alone", () => {
    expect(augmentedView(options)).toEqual(augmentedView({ ...options }));
    const others = [{ seed: 2 }, { epoch: 1 }, { sample: 1 }].map((change) => augmentedView({ ...options, ...change }));
    for (const other of others) expect(other).not.toEqual(augmentedView(options));
  });
});

describe("statistics", () => {
  const noise = (seed: number) => Uint8Array.from({ length: 196_608 }, (_, i) => bits(seed, i) >>> 24);

  test("the same to the last bit in any order and grouping", () => {
    const pictures = [1, 2, 3, 4].map(noise);
    const sum = (groups: readonly (readonly number[])[]) => {
      let sums = noSums(256);
      const summation = new PictureSummation(256);
      for (const group of groups) {
        for (const i of group) summation.add(pictures[i]);
        sums = addSums(sums, summation.take());
      }
      return summarise(sums, 4);
    };
    const { mean, covariance } = sum([[0, 1, 2, 3]]);
    for (const groups of [
      [[3], [1], [0], [2]],
      [
        [2, 0],
        [3, 1],
      ],
    ]) {
      expect(sum(groups).covariance).toEqual(covariance);
      expect(Buffer.compare(Buffer.from(sum(groups).mean.buffer), Buffer.from(mean.buffer))).toBe(0);
    }
  });

  test("an even set has its colour as mean and no variance", () => {
    const summation = new PictureSummation(256);
    const picture = Uint8Array.from({ length: 196_608 }, (_, i) => [10, 200, 90][i % 3]);
    summation.add(picture);
    const { mean, covariance } = summarise(addSums(noSums(256), summation.take()), 1);
    expect([...mean.subarray(0, 3)]).toEqual([10, 200, 90]);
    expect(covariance.flat().every((value) => value === 0)).toBe(true);
  });

  test("principal components: orthonormal, the largest first, and they give the matrix back", () => {
    const matrix = [
      [4000, 3100, 1500],
      [3100, 3900, 2500],
      [1500, 2500, 4700],
    ] as const;
    const { values, vectors } = principalComponents(matrix);
    expect([...values].sort((a, b) => b - a)).toEqual([...values]);
    for (let i = 0; i < 3; i++)
      for (let j = 0; j < 3; j++) {
        const dot = vectors[i].reduce((sum, p, k) => sum + p * vectors[j][k], 0);
        expect(dot).toBeCloseTo(i === j ? 1 : 0, 12);
        const entry = values.reduce((sum, value, k) => sum + value * vectors[k][i] * vectors[k][j], 0);
        expect(entry).toBeCloseTo(matrix[i][j], 8);
      }
  });
});

test("crops and reflections can be left out, each by itself; what is left is drawn as with all", () => {
  const samples = Array.from({ length: 40 }, (_, sample) => sample);
  const centre = centreView(options);
  for (const sample of samples) {
    const whole = augmentedView({ ...options, sample });
    const { top, left } = centre;
    expect(augmentedView({ ...options, sample, crops: false })).toEqual({ ...whole, top, left });
    expect(augmentedView({ ...options, sample, mirrors: false })).toEqual({ ...whole, mirrored: false });
  }
});
