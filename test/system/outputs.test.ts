import { execFileSync, spawn } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { writeWhole } from "#src/system/files.js";
import { checkOutput, makeOutputFolder } from "#src/system/outputs.js";
import { temporaryFolder } from "../support/folders.js";

const folder = temporaryFolder();
const at = (...parts: string[]): string => join(folder, ...parts);
writeFileSync(at("file"), "here");
mkdirSync(at("folder"));
mkdirSync(at("closed"));
chmodSync(at("closed"), 0o555);
const isRoot = process.getuid?.() === 0; // may write everywhere

const impossible: readonly (readonly [what: string, path: string, reason: RegExp])[] = [
  ["below a file", at("file", "x.csv"), /can't be written \(a file is (where a folder should be|there)\)/],
  ["onto a folder", at("folder"), /can't be written \(a folder is there\)/],
  ["with a name that is too long", at("x".repeat(300)), /can't be written \(the name is too long\)/],
];

test.each(impossible)(
  "an output %s is refused before the work and when it is written, with the reason",
  (_, path, reason) => {
    expect(() => checkOutput(path, "csv")).toThrow(reason);
    expect(() => checkOutput(path, "csv")).toThrow(/choose another place \(csv\)/);
    expect(() => writeWhole(path, "text")).toThrow(reason);
    expect(readFileSync(at("file"), "utf8")).toBe("here");
  },
);

test.skipIf(isRoot)(
  `an output without permission is refused before the work${isRoot ? " (skipped: root may write everywhere)" : ""}`,
  () => {
    expect(() => checkOutput(at("closed", "x.csv"), "csv")).toThrow(/can't be written \(no permission\)/);
  },
);

test("checking an output makes its folder, and leaves nothing else and an older file as it was", () => {
  checkOutput(at("new", "deeper", "x.csv"), "csv");
  expect(readdirSync(at("new", "deeper"))).toEqual([]);
  checkOutput(at("file"), "csv");
  expect(readFileSync(at("file"), "utf8")).toBe("here");
  makeOutputFolder(at("new", "other"), "out");
  expect(existsSync(at("new", "other"))).toBe(true);
  expect(() => makeOutputFolder(at("file", "other"), "out")).toThrow(/can't be written .*choose another place \(out\)/);
});

test("a link given as output stays a link, and what it leads to is written", () => {
  writeFileSync(at("target"), "old");
  symlinkSync("target", at("link"));
  symlinkSync("not there yet", at("dangling"));
  writeWhole(at("link"), "new");
  writeWhole(at("dangling"), "made");
  expect([readlinkSync(at("link")), readFileSync(at("target"), "utf8")]).toEqual(["target", "new"]);
  expect([readlinkSync(at("dangling")), readFileSync(at("not there yet"), "utf8")]).toEqual(["not there yet", "made"]);
});

test("a pipe given as output is written to and stays a pipe", async () => {
  execFileSync("mkfifo", [at("pipe")]);
  const reader = spawn("cat", [at("pipe")]);
  const read = new Promise<string>((resolve) => {
    let text = "";
    reader.stdout.on("data", (data: Buffer) => {
      text += data.toString();
    });
    reader.on("close", () => resolve(text));
  });
  checkOutput(at("pipe"), "csv");
  writeWhole(at("pipe"), "rows\n");
  expect(await read).toBe("rows\n");
  expect(execFileSync("stat", ["-c", "%F", at("pipe")]).toString()).toBe("fifo\n");
});

test("/dev/null given as output stays what it is", () => {
  checkOutput("/dev/null", "csv");
  writeWhole("/dev/null", "gone");
  expect(execFileSync("stat", ["-c", "%F", "/dev/null"]).toString()).toBe("character special file\n");
});
