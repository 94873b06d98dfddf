import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { AlexnetError } from "#src/errors.js";
import { PictureBytesReader } from "#src/store/preparing/picture-bytes.js";
import { detectSource } from "#src/store/sources/detect.js";
import { makeMetaMat, makeParquet, makeTar } from "../../support/archives.js";
import { damage, damaged, drawForms, RUNS, randomBytes } from "../../support/damage.js";
import { drawJpeg } from "../../support/draw.js";
import { tries } from "../../support/effort.js";
import { temporaryFolder } from "../../support/folders.js";
import { drawSome, prepareHere, readSkipped, useStore, write } from "../../support/stores.js";
import { unwatched } from "../../support/task.js";

const LONGEST_MS = 40_000; // reading Parquet is given up after 30 s

const folder = temporaryFolder();
const places = new PictureBytesReader();
afterAll(() => places.close());

/** Lists a source and reads what it lists; errors must be ones for people. */
async function listAll(path: string): Promise<void> {
  try {
    const source = await detectSource(path, {}, unwatched);
    for await (const item of source.items(unwatched))
      if ("place" in item) await places.read(item.place).catch((error: unknown) => expect(error).toBeInstanceOf(Error));
  } catch (error) {
    expect(error).toBeInstanceOf(AlexnetError);
  }
}

const holds = <T>(property: fc.IAsyncProperty<T>, numRuns: number) =>
  fc.assert(property, { numRuns, seed: 1, timeout: LONGEST_MS });

describe("damaged archives are listed as far as they go", () => {
  test("tar", { timeout: 600_000 }, async () => {
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
      RUNS,
    );
  });

  test("Parquet", { timeout: 600_000 }, async () => {
    const pictures = Object.values(await drawSome("", 6));
    const whole = makeParquet(pictures, [0, 1, 0, 1, 0, 1], { rowGroupSize: 3 }, ["image", "label"]);
    const path = join(folder, "set.parquet");
    await holds(
      fc.asyncProperty(damage, async (how) => {
        writeFileSync(path, damaged(whole, { ...how, kept: how.kept < 0.5 ? how.kept : 1 }));
        await listAll(path);
      }),
      tries({ few: 60, many: RUNS / 4 }), // each starts threads of its own, and some take 30 s to give up
    );
  });

  test("the devkit's meta.mat", { timeout: 600_000 }, async () => {
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
      RUNS,
    );
  });
});

const paddingOf = ({ length }: Uint8Array) => (512 - (length % 512)) % 512;

test("a tar cut anywhere: every sample before the cut is listed, and that there was a cut", async () => {
  const drawn = Object.values(await drawSome("", 6));
  const parts = drawn.map((content, i) => [
    { path: `${i}.cls`, content: "0" },
    { path: `${i}.jpg`, content },
  ]);
  const ends = parts.map((_, i) => makeTar(parts.slice(0, i + 1).flat()).length - 1024 - paddingOf(drawn[i]));
  const whole = makeTar(parts.flat());
  const path = join(folder, "cut.tar");
  await holds(
    fc.asyncProperty(fc.integer({ min: 0, max: whole.length - 513 }), async (length) => {
      writeFileSync(path, whole.subarray(0, length));
      const items = [];
      for await (const item of (await detectSource(path, {}, unwatched)).items(unwatched)) items.push(item);
      expect(items.filter((item) => "place" in item)).toHaveLength(ends.filter((end) => end <= length).length);
      expect(items.filter((item) => "reason" in item && item.isPartial)).toHaveLength(1);
    }),
    RUNS,
  );
});

test(`of ${RUNS} files of random bytes and ${RUNS} damaged pictures each is in the store or in the list`, {
  timeout: 600_000,
}, async () => {
  const source = temporaryFolder();
  const whole = await drawForms();
  const damages = fc.sample(fc.tuple(fc.constantFrom(...whole), damage), { numRuns: RUNS, seed: 3 });
  const random = fc.sample(randomBytes, { numRuns: RUNS, seed: 4 });
  for (const [i, bytes] of random.entries()) write(source, { [`random/${i}.jpg`]: bytes });
  for (const [i, [picture, how]] of damages.entries())
    write(source, { [`damaged/${i}.jpg`]: i % 10 === 0 ? picture : damaged(picture, how) });
  const { path, info, skippedList } = await prepareHere({ source, valFraction: 0, encoding: "jpeg", workers: 2 });
  const listed = readSkipped(skippedList);
  const stored = await useStore(path, (store) =>
    Array.from({ length: store.count("train") }, (_, i) => store.fileName("train", i)),
  );
  const names = [...random.map((_, i) => `random/${i}.jpg`), ...damages.map((_, i) => `damaged/${i}.jpg`)];
  expect([...stored, ...listed.map(([name]) => name)].sort()).toEqual(names.sort());
  expect(info.skipped).toBe(listed.length);
  expect(listed.filter(([, reason]) => reason.length === 0)).toEqual([]);
  expect(stored.filter((name) => /damaged\/\d*0\.jpg/.test(name)).length).toBe(RUNS / 10); // the whole ones
});
