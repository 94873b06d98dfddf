import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Engine } from "#src/engine/engine.js";
import { engineNames } from "#src/engine/host/engines.js";
import { expectClose } from "../support/compare.js";
import { normalTensor, openIfPossible } from "../support/networks.js";

/** (rows, length), on shared memory as vectors of a file are. */
function matrix(seed: number, rows: number, length: number): Float32Array {
  const values = new Float32Array(new SharedArrayBuffer(4 * rows * length));
  values.set(normalTensor(seed, rows, length).data);
  return values;
}

function product(a: Float32Array, b: Float32Array, length: number): Float64Array {
  const [rows, columns] = [a.length / length, b.length / length];
  return Float64Array.from({ length: rows * columns }, (_, i) => {
    const [row, column] = [Math.floor(i / columns), i % columns];
    let sum = 0;
    for (let k = 0; k < length; k++) sum += a[row * length + k] * b[column * length + k];
    return sum;
  });
}

for (const name of engineNames)
  describe(`products of matrices on ${name}`, () => {
    let engine: Engine | string;
    beforeAll(async () => {
      engine = await openIfPossible(name);
    });
    beforeEach((context) => {
      if (typeof engine === "string") context.skip(engine);
    });
    afterAll(async () => {
      if (typeof engine !== "string") await engine.close();
    });

    it.each([
      [1, 1, 1],
      [1, 50, 33],
      [3, 17, 100],
      [40, 9, 64],
    ])("%i rows by %i columns of %i", async (rows, columns, length) => {
      if (typeof engine === "string") return;
      const [a, b] = [matrix(1, rows, length), matrix(2, columns, length)];
      const expected = product(a, b, length);
      expectClose(await engine.multiply(a, b, length), expected, 1e-5, "product");
      expectClose(await engine.multiply(a, b, length), expected, 1e-5, "the same again");
    });

    it("nothing by something is nothing", async () => {
      if (typeof engine === "string") return;
      expect(await engine.multiply(new Float32Array(0), matrix(1, 2, 5), 5)).toEqual(new Float32Array(0));
    });

    it("refuses rows that are cut off", async () => {
      if (typeof engine === "string") return;
      await expect(engine.multiply(matrix(1, 1, 4), matrix(2, 1, 5), 4)).rejects.toThrow(/5 values .* rows of 4/);
      await expect(engine.multiply(matrix(1, 1, 4), matrix(2, 1, 4), 0)).rejects.toThrow(/length 0/);
    });
  });
