import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { drawPictures } from "#src/demo/pictures.js";
import { ensurePrepared } from "#src/store/cache.js";
import { clearCache, listCache } from "#src/store/cached.js";
import { lockStore } from "#src/store/database.js";
import { addStoreUser } from "#src/store/users.js";
import { alexnet } from "../support/command-line.js";
import { temporaryFolder } from "../support/folders.js";

const scratch = temporaryFolder();
let cache = "";

beforeEach(() => {
  cache = temporaryFolder();
  vi.stubEnv("ALEXNET_CACHE", cache);
});
afterEach(() => vi.unstubAllEnvs());

/** A store of three pictures a class in the cache. */
async function prepared(name: string): Promise<string> {
  const pictures = join(scratch, name);
  if (!existsSync(pictures)) await drawPictures(pictures, { train: 2, val: 1, seed: 1 });
  return ensurePrepared(pictures);
}

/** What a start leaves behind that failed before anything was written. */
function failedStart(): string {
  const path = join(cache, "solo-0123456789ab-ba9876543210");
  mkdirSync(path);
  return path;
}

test("the cache's list tells prepared pictures from half prepared ones, and passes over what is not ours", async () => {
  const store = await prepared("photos");
  const failed = failedStart();
  mkdirSync(join(cache, "choices"));
  writeFileSync(join(cache, "choices", "onednn.json"), "{}");
  mkdirSync(join(cache, "holidays"));
  const listed = await listCache();
  expect(listed.map(({ path, holds, inUse }) => [path, holds, inUse])).toEqual([
    [store, "prepared pictures", false],
    [join(cache, "choices"), "measured choices", false],
    [failed, "pictures half prepared", false],
  ]);
  expect(listed[0]?.bytes).toBeGreaterThan(10_000);
});

test("clearing removes all of it but what a run needs, what is being made, and what is not ours", async () => {
  const [needed, making, unneeded] = [await prepared("needed"), await prepared("making"), await prepared("unneeded")];
  const run = join(cache, "holidays");
  mkdirSync(run);
  addStoreUser(needed, run);
  const failed = failedStart();
  const child = lockStore(making);
  const { removed } = JSON.parse(alexnet("cache", "clear", "--json").stdout);
  child();
  expect(removed.map(({ path }: { path: string }) => path).sort()).toEqual([failed, unneeded].sort());
  expect(
    readdirSync(cache)
      .map((name) => join(cache, name))
      .sort(),
  ).toEqual([making, needed, run].sort());
  await clearCache();
  expect(
    readdirSync(cache)
      .map((name) => join(cache, name))
      .sort(),
  ).toEqual([needed, run].sort());
});

test("the command says where the cache is and what it takes, also when it holds nothing", async () => {
  expect(alexnet("cache").stdout).toBe(`${cache}: 0 B; \`alexnet cache clear\` removes what no run needs\n`);
  await prepared("photos");
  const { stdout } = alexnet("cache", "list");
  expect(stdout).toMatch(/^prepared pictures +[\d.]+ [kM]B +\d{4}-\d\d-\d\d +photos-/m);
  expect(alexnet("cache", "purge").status).toBe(2);
});
