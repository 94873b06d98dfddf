import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { asOnDisk } from "#src/cli/paths-on-disk.js";
import { temporaryFolder } from "../support/folders.js";

const composed = "caf\u00e9";
const decomposed = "cafe\u0301";

test("a path is spelt as the disk spells it, part by part, whichever form of Unicode it was typed in", () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, decomposed, "a b", composed), { recursive: true });
  expect(asOnDisk(join(folder, composed, "a b", decomposed))).toBe(join(folder, decomposed, "a b", composed));
  expect(asOnDisk(join(folder, composed))).toBe(join(folder, decomposed));
});

test("words that name nothing, and paths that are there, stay as they are", () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, composed));
  mkdirSync(join(folder, decomposed));
  for (const word of [
    join(folder, composed),
    join(folder, decomposed),
    join(folder, composed, `new-${composed}`),
    `--class=${composed}`,
    composed,
    "plain",
  ])
    expect(asOnDisk(word)).toBe(word);
});
