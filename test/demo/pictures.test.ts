import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { drawPictures } from "#src/demo/pictures.js";
import { subjects } from "#src/demo/subjects/subjects.js";
import { temporaryFolder } from "../support/folders.js";

const set = { seed: 7, train: 3, val: 2 };

function scratch(): string {
  const folder = temporaryFolder();
  return folder;
}

function hashes(folder: string): Map<string, string> {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".jpg"));
  const hash = (path: string): string =>
    createHash("sha256")
      .update(readFileSync(join(folder, path)))
      .digest("hex");
  return new Map(files.sort().map((path) => [path, hash(path)]));
}

it("draws every class for training and validation, each picture once", async () => {
  const folder = join(scratch(), "pictures");
  const progress: number[] = [];
  await drawPictures(folder, set, { onEvent: ({ done, total }) => progress.push(done / total) });
  const files = hashes(folder);
  expect([...files.keys()]).toEqual([
    ...subjects.flatMap(({ name }) => [1, 2, 3].map((i) => `train/${name}/000${i}.jpg`)),
    ...subjects.flatMap(({ name }) => [1, 2].map((i) => `val/${name}/000${i}.jpg`)),
  ]);
  expect(new Set(files.values()).size).toBe(files.size);
  expect(progress.length).toBe(files.size);
  expect(progress.at(-1)).toBe(1);
});

it("draws the same again, and other pictures for another seed", async () => {
  const folder = scratch();
  await drawPictures(join(folder, "a"), set);
  await drawPictures(join(folder, "b"), set);
  await drawPictures(join(folder, "c"), { ...set, seed: 8 });
  expect(hashes(join(folder, "b"))).toEqual(hashes(join(folder, "a")));
  const first = new Set(hashes(join(folder, "a")).values());
  expect([...hashes(join(folder, "c")).values()].filter((hash) => first.has(hash))).toEqual([]);
});

it("keeps the validation pictures when there are more to train on", async () => {
  const folder = scratch();
  await drawPictures(join(folder, "a"), set);
  await drawPictures(join(folder, "b"), { ...set, train: 4 });
  expect(hashes(join(folder, "b", "val"))).toEqual(hashes(join(folder, "a", "val")));
});

it("leaves no folder of that name when stopped, and begins anew then", async () => {
  const folder = join(scratch(), "pictures");
  const stop = new AbortController();
  const drawing = drawPictures(folder, set, { signal: stop.signal, onEvent: () => stop.abort("SIGINT") });
  await expect(drawing).rejects.toMatchObject({ code: "interrupted" });
  expect(existsSync(folder)).toBe(false);
  await drawPictures(folder, set);
  expect(hashes(folder).size).toBe(5 * subjects.length);
});
