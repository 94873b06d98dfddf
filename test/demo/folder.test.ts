import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { claimFolder } from "#src/demo/folder.js";
import { temporaryFolder } from "../support/folders.js";

const settings = { seed: 1, train: 3, val: 1, width: 0.1, epochs: 2 };

function claimed(): { readonly folder: string; readonly mine: string } {
  const folder = temporaryFolder();
  for (const part of Object.values(claimFolder(folder, settings, false))) {
    mkdirSync(part);
    writeFileSync(join(part, "made"), "");
  }
  const mine = join(folder, "mine.txt");
  writeFileSync(mine, "keep");
  return { folder, mine };
}

const parts = ["pictures", "store", "run"];

it("goes on with a demo of the same settings", () => {
  const { folder } = claimed();
  claimFolder(folder, { ...settings }, false);
  expect(parts.map((part) => existsSync(join(folder, part, "made")))).toEqual([true, true, true]);
});

it.each([
  ["another seed", { ...settings, seed: 2 }, false],
  ["other epochs", { ...settings, epochs: 3 }, false],
  ["the wish to start over", settings, true],
])("removes what it made for %s, and nothing else", (_, wanted, fresh) => {
  const { folder, mine } = claimed();
  claimFolder(folder, wanted, fresh);
  expect(parts.map((part) => existsSync(join(folder, part)))).toEqual([false, false, false]);
  expect(readFileSync(mine, "utf8")).toBe("keep");
});

it("refuses a folder that holds files but no demo, also when it is to start over", () => {
  const { folder } = claimed();
  rmSync(join(folder, "demo.json"));
  for (const fresh of [false, true])
    expect(() => claimFolder(folder, settings, fresh)).toThrow(`${folder}: holds files, and no demo`);
  expect(parts.map((part) => existsSync(join(folder, part, "made")))).toEqual([true, true, true]);
});
