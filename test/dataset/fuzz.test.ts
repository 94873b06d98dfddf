import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readPlace } from "#src/dataset/read-place.js";
import { detectSource } from "#src/dataset/sources/detect.js";
import { AlexnetError } from "#src/errors.js";
import { damage, damaged } from "../images/damage.js";
import { drawJpeg } from "../images/draw.js";
import { makeMetaMat, makeParquet, makeTar } from "./archives.js";
import { drawSome, prepareHere, readSkipped, temporaryFolder, write } from "./fixtures.js";

const RUNS = Number(process.env.FUZZ_RUNS ?? 2000);
const LONGEST_MS = 20_000;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "alexnet-fuzz-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Lists a source and reads what it lists; errors must be ones for people. */
async function listAll(path: string): Promise<void> {
  try {
    const source = await detectSource(path);
    for await (const item of source.items())
      if ("place" in item) await readPlace(item.place).catch((error: unknown) => expect(error).toBeInstanceOf(Error));
  } catch (error) {
    expect(error).toBeInstanceOf(AlexnetError);
  }
}

const holds = <T>(property: fc.IAsyncProperty<T>, numRuns: number) =>
  fc.assert(property, { numRuns, seed: 1, timeout: LONGEST_MS });

describe("damaged archives are listed as far as they go", () => {
  test("tar", { timeout: 300_000 }, async () => {
    const files = Object.entries(await drawSome("", 5)).flatMap(([path, content], i) => [
      { path, content },
      { path: path.replace("jpg", i % 2 === 0 ? "cls" : "json"), content: "7" },
    ]);
    const whole = makeTar([...files, { path: `${"long/".repeat(50)}name.jpg`, content: files[0].content }]);
    const path = join(folder, "set.tar");
    await holds(
      fc.asyncProperty(damage, async (how) => {
        writeFileSync(path, damaged(whole, how));
        await listAll(path);
      }),
      RUNS / 4,
    );
  });

  test("Parquet", { timeout: 300_000 }, async () => {
    const pictures = Object.values(await drawSome("", 6));
    const whole = makeParquet(pictures, [0, 1, 0, 1, 0, 1], { rowGroupSize: 3 }, ["image", "label"]);
    const path = join(folder, "set.parquet");
    await holds(
      fc.asyncProperty(damage, async (how) => {
        writeFileSync(path, damaged(whole, { ...how, kept: how.kept < 0.5 ? how.kept : 1 }));
        await listAll(path);
      }),
      RUNS / 4,
    );
  });

  test("the devkit's meta.mat", { timeout: 300_000 }, async () => {
    const whole = makeMetaMat([{ id: 1, wnid: "n01440764", words: "tench" }]);
    const path = temporaryFolder();
    const picture = { path: "n01440764.tar", content: makeTar([{ path: "a.jpg", content: await drawJpeg(1) }]) };
    write(path, { "ILSVRC2012_img_train.tar": makeTar([picture]), "ILSVRC2012_img_val.tar": makeTar([]) });
    await holds(
      fc.asyncProperty(damage, async (how) => {
        const devkit = makeTar([
          { path: "data/meta.mat", content: damaged(whole, how) },
          { path: "data/ILSVRC2012_validation_ground_truth.txt", content: "1\n" },
        ]);
        write(path, { "ILSVRC2012_devkit_t12.tar.gz": gzipSync(devkit, { level: 1 }) });
        await listAll(path);
      }),
      RUNS / 4,
    );
  });
});

test("of a folder of damaged files every one is in the store or in the list", { timeout: 300_000 }, async () => {
  const source = temporaryFolder();
  const whole = Object.values(await drawSome("", 20));
  const samples = fc.sample(fc.tuple(fc.constantFrom(...whole), damage), { numRuns: RUNS / 4, seed: 3 });
  samples.forEach(([picture, how], i) => {
    write(source, { [`${i % 2 === 0 ? "even" : "odd"}/${i}.jpg`]: i % 10 === 0 ? picture : damaged(picture, how) });
  });
  const { info, skippedList } = await prepareHere({ source, workers: 2 });
  const listed = readSkipped(skippedList);
  expect(info.counts.train + info.counts.val + listed.length).toBe(samples.length);
  expect(new Set(listed.map(([name]) => name)).size).toBe(info.skipped);
  expect(listed.every(([, reason]) => reason.length > 0)).toBe(true);
});
