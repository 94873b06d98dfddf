import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { mapFloats, placeOf, releasePages, valuesAt } from "#src/system/mapped-memory.js";
import { temporaryFolder } from "../support/folders.js";

const maps = process.platform === "linux" || process.platform === "darwin";

describe.skipIf(!maps)("mapped files (Linux and macOS)", () => {
  const folder = temporaryFolder();
  let path: string;
  const written = Float32Array.from({ length: 40_000 }, (_, i) => i / 8 - 100);

  beforeAll(() => {
    path = join(folder, "values");
    writeFileSync(path, new Uint8Array(written.buffer));
  });

  function map(position: number, count: number): Float32Array | undefined {
    const file = openSync(path, "r");
    try {
      return mapFloats(file, position, count);
    } finally {
      closeSync(file);
    }
  }

  test.each([0, 4, 65_532, 65_536, 131_076])("from byte %i to the end", (position) => {
    expect(map(position, written.length - position / 4)).toEqual(written.subarray(position / 4));
  });

  test("changes stay here, and a removed file's values stay", () => {
    const before = readFileSync(path);
    const values = map(8, 100);
    values?.fill(7);
    expect(readFileSync(path)).toEqual(before);
    rmSync(path);
    expect(values).toEqual(new Float32Array(100).fill(7));
    writeFileSync(path, before);
  });

  test("what was written stays when the file's pages are released", () => {
    const values = map(0, written.length);
    values?.fill(7);
    releasePages(path);
    expect(values).toEqual(new Float32Array(written.length).fill(7));
  });

  test("a place stands for the same memory, of a part too", () => {
    const values = map(4, 1000)?.subarray(10, 20) ?? new Float32Array();
    const place = placeOf(values);
    expect(place?.bytes).toBe(40);
    expect(place && valuesAt(place)).toEqual(written.subarray(11, 21));
    expect(placeOf(new Float32Array(4))).toBeUndefined();
  });

  test.each([
    ["more than the file holds", 0, written.length + 1],
    ["what does not begin at a whole value", 2, 1],
    ["nothing", 0, 0],
  ])("%s is not mapped", (_, position, count) => {
    expect(map(position, count)).toBeUndefined();
  });
});
