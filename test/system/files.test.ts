import { execFile } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, it } from "vitest";
import { pointTo, removeLeftovers, writeWhole } from "#src/system/files.js";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "alexnet-files-"));
  path = join(folder, "settings.json");
});
afterEach(() => rmSync(folder, { recursive: true }));

it("processes that write the same file at the same time don't disturb each other: it is one of theirs, whole", {
  timeout: 60_000,
}, async () => {
  const script = fileURLToPath(new URL("../support/write-file.js", import.meta.url));
  const letters = ["a", "b", "c"];
  await Promise.all(letters.map((letter) => promisify(execFile)(process.execPath, [script, path, letter, "30"])));
  const written = readFileSync(path, "utf8");
  expect(letters.map((letter) => letter.repeat(100_000))).toContain(written);
  expect(readdirSync(folder)).toEqual(["settings.json"]);
});

it("a file that can't be written whole leaves nothing behind", () => {
  mkdirSync(path);
  expect(() => writeWhole(path, "text")).toThrow();
  expect(readdirSync(folder)).toEqual(["settings.json"]);
});

it("a link is pointed elsewhere whole", () => {
  pointTo(path, "one");
  pointTo(path, "other");
  expect(readlinkSync(path)).toBe("other");
  expect(readdirSync(folder)).toEqual(["settings.json"]);
});

it("what crashes left is removed by its name, and only when it is old", () => {
  const names = ["settings.json.12-0-3.part", "step.safetensors.9-1-20.part", "mine.part", "settings.json"];
  for (const name of [...names, "fresh.12-0-4.part"]) writeFileSync(join(folder, name), "");
  for (const name of names) utimesSync(join(folder, name), 0, 0);
  removeLeftovers(folder);
  expect(readdirSync(folder).sort()).toEqual(["fresh.12-0-4.part", "mine.part", "settings.json"]);
});
