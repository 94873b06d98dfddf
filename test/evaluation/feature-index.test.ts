import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Engine } from "#src/engine/engine.js";
import { openEngine } from "#src/engine/host/open.js";
import { FeatureIndex } from "#src/evaluation/feature-index.js";
import { FEATURES_FORMAT } from "#src/evaluation/features.js";
import { MatrixFile, type MatrixFormat } from "#src/formats/matrix-file.js";
import { readNpy } from "#src/formats/npy.js";
import { readSafetensors } from "#src/formats/safetensors.js";
import { normals } from "#src/random.js";
import { temporaryFolder } from "../support/folders.js";
import { openIfPossible } from "../support/networks.js";

const folder = temporaryFolder();
let engine: Engine;
beforeAll(async () => {
  const quick = await openIfPossible("onednn");
  engine = typeof quick === "string" ? await openEngine("reference") : quick;
});
afterAll(async () => {
  await engine.close();
});

const metadata = { format: FEATURES_FORMAT, layer: "fc7", model: "m" };

function write(name: string, format: MatrixFormat, rows: readonly Float32Array[], planned = rows.length): string {
  const path = join(folder, name);
  const names = Array.from({ length: planned }, (_, i) => `${i} "Ünï,cödé".jpg`);
  const file = new MatrixFile({ path, format, shape: [rows[0].length], names, metadata });
  rows.forEach((row, i) => {
    file.append([names[i]], row);
  });
  file.finish();
  file.abandon();
  return path;
}

function vectors(count: number, length: number, seed: number): Float32Array[] {
  return Array.from({ length: count }, (_, row) => {
    const values = new Float32Array(length);
    normals(values, 1, seed, row);
    return values.map((value) => Math.max(0, value));
  });
}

describe("a file of rows", () => {
  it("as safetensors holds names and squares, also when fewer rows came than were planned", () => {
    const rows = vectors(3, 5, 1);
    const { tensors, metadata: texts } = readSafetensors(write("a.safetensors", "safetensors", rows, 9));
    expect(tensors.get("features")).toEqual({
      shape: [3, 5],
      data: Float32Array.from(rows.flatMap((row) => [...row])),
    });
    expect(tensors.get("squared_norms")?.data[1]).toBeCloseTo(rows[1].reduce((sum, x) => sum + x * x, 0));
    expect(JSON.parse(texts.files)).toHaveLength(3);
    expect(texts).toMatchObject(metadata);
  });

  it("as .npy has them beside it", () => {
    const rows = vectors(3, 5, 1);
    const { shape, data } = readNpy(write("a.npy", "npy", rows, 9));
    expect({ shape, data }).toEqual({ shape: [3, 5], data: Float32Array.from(rows.flatMap((row) => [...row])) });
    const beside: unknown = JSON.parse(readFileSync(join(folder, "a.json"), "utf8"));
    expect(beside).toEqual({ ...metadata, files: [0, 1, 2].map((i) => `${i} "Ünï,cödé".jpg`) });
  });

  it("that is abandoned leaves nothing", () => {
    const before = readdirSync(folder);
    const path = join(folder, "never.npy");
    const file = new MatrixFile({ path, format: "npy", shape: [2], names: ["x"], metadata });
    file.append(["x"], new Float32Array(2));
    file.abandon();
    expect(readdirSync(folder)).toEqual(before);
  });
});

describe("searching", () => {
  it("finds exactly what comparing all distances finds, over several blocks", async () => {
    const length = 4096;
    const rows = vectors(2100, length, 2); // 34 MB: more than one block
    rows[2099] = Float32Array.from(rows[3], (x) => x * (1 + 1e-6)); // nearer than products in float32 can tell
    const index = new FeatureIndex(write("large.safetensors", "safetensors", rows));
    const queries = [rows[3], ...vectors(2, length, 3)];
    const all = Float32Array.from(queries.flatMap((row) => [...row]));
    const found = await index.search(engine, all, 5);
    queries.forEach((query, i) => {
      const expected = rows
        .map((row, n) => ({
          file: `${n} "Ünï,cödé".jpg`,
          distance: Math.sqrt(row.reduce((sum, x, j) => sum + (x - query[j]) ** 2, 0)),
        }))
        .sort((a, b) => a.distance - b.distance)
        .slice(0, 5);
      expect(found[i]).toEqual(expected);
    });
    expect(found[0][0].distance).toBe(0);
  });

  it("gives all there are when fewer than asked for, and leaves out what it is told to", async () => {
    const index = new FeatureIndex(write("few.safetensors", "safetensors", vectors(4, 3, 4)));
    const [found] = await index.search(engine, vectors(1, 3, 5)[0], 10, (row) => row === 2);
    expect(found).toHaveLength(3);
    expect(found.map(({ file }) => file)).not.toContain('2 "Ünï,cödé".jpg');
  });

  it("refuses queries of another length and files of other things", async () => {
    const index = new FeatureIndex(write("three.safetensors", "safetensors", vectors(4, 3, 4)));
    await expect(index.search(engine, new Float32Array(4), 1)).rejects.toThrow(/vectors have 3 values/);
    const strange = join(folder, "strange.safetensors");
    writeFileSync(strange, readFileSync(index.path, "latin1").replace(FEATURES_FORMAT, "alexnet fixtures 1"), "latin1");
    expect(() => new FeatureIndex(strange)).toThrow(/holds no features/);
  });
});
