import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Engine, Tensor } from "#src/engine/engine.js";
import { openEngine } from "#src/engine/host/open.js";
import type { LocalResponseNorm } from "#src/network/network.js";
import { normal } from "#src/random.js";

let engine: Engine;
beforeAll(async () => {
  engine = await openEngine("reference");
});
afterAll(() => engine.close());

const norm: LocalResponseNorm = { kind: "local-response-norm", name: "norm", k: 1.5, n: 3, alpha: 0.3, beta: 0.75 };
const shape = [2, 6, 4, 5] as const; // (pictures, maps, height, width)
const size = 2 * 6 * 4 * 5;

function random(key: number): Float64Array {
  return Float64Array.from({ length: size }, (_, i) => normal(1, key, i));
}

function tensor(data: Float64Array, dimensions: readonly number[] = shape): Tensor {
  return { shape: dimensions, data };
}

/** Maps `from` up to `to` of every picture. */
function maps(data: Float64Array, from: number, to: number): Float64Array {
  return Float64Array.from([0, 1].flatMap((p) => [...data.subarray((p * 6 + from) * 20, (p * 6 + to) * 20)]));
}

const worst = (a: Float64Array, b: Float64Array): number => Math.max(...a.map((value, i) => Math.abs(value - b[i])));

describe("response normalisation in groups", () => {
  it("is that of each half by itself, forward and backward", async () => {
    const [x, dy] = [random(1), random(2)];
    const whole = await engine.differentiate({ ...norm, groups: 2 }, { x: tensor(x), dy: tensor(dy) });
    for (const [from, to] of [
      [0, 3],
      [3, 6],
    ] as const) {
      const part = (data: Float64Array) => tensor(maps(data, from, to), [2, 3, 4, 5]);
      const half = await engine.differentiate(norm, { x: part(x), dy: part(dy) });
      expect(maps(whole.y.data, from, to)).toEqual(half.y.data);
      expect(maps(whole.dx.data, from, to)).toEqual(half.dx.data);
    }
  });

  it("differs from one over all maps only where a window crosses the border", async () => {
    const [x, dy] = [random(3), random(4)];
    const inputs = { x: tensor(x), dy: tensor(dy) };
    const halves = await engine.differentiate({ ...norm, groups: 2 }, inputs);
    const all = await engine.differentiate(norm, inputs);
    expect(maps(halves.y.data, 0, 2)).toEqual(maps(all.y.data, 0, 2));
    expect(maps(halves.y.data, 4, 6)).toEqual(maps(all.y.data, 4, 6));
    expect(worst(maps(halves.y.data, 2, 4), maps(all.y.data, 2, 4))).toBeGreaterThan(1e-3);
  });
});

describe("response normalisation within a map", () => {
  const within: LocalResponseNorm = { ...norm, region: "within-map" };

  it("sums the squares of the places around", async () => {
    const x = random(5);
    const { y } = await engine.differentiate(within, { x: tensor(x), dy: tensor(x) });
    const expected = x.map((value, i) => {
      const [map, row, column] = [Math.floor(i / 20), Math.floor(i / 5) % 4, i % 5];
      let squares = 0;
      for (let r = Math.max(0, row - 1); r <= Math.min(3, row + 1); r++)
        for (let c = Math.max(0, column - 1); c <= Math.min(4, column + 1); c++)
          squares += x[map * 20 + r * 5 + c] ** 2;
      return value / (norm.k + norm.alpha * squares) ** norm.beta;
    });
    expect(worst(y.data, expected)).toBeLessThan(1e-14);
  });

  it("has the gradient of central differences", async () => {
    const [x, dy] = [random(6), random(7)];
    const loss = async (values: Float64Array): Promise<number> => {
      const { y } = await engine.differentiate(within, { x: tensor(values), dy: tensor(dy) });
      return y.data.reduce((sum, value, i) => sum + value * dy[i], 0);
    };
    const { dx } = await engine.differentiate(within, { x: tensor(x), dy: tensor(dy) });
    const step = 1e-5;
    for (const i of [0, 7, 19, 44, 119, 120, 200, size - 1]) {
      const moved = (by: number) => x.map((value, j) => (j === i ? value + by : value));
      const slope = ((await loss(moved(step))) - (await loss(moved(-step)))) / (2 * step);
      expect(Math.abs(slope - dx.data[i])).toBeLessThan(1e-8);
    }
  });
});
