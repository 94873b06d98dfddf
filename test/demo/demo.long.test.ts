import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { type Outcome, run } from "../support/checkout.js";
import { temporaryFolder } from "../support/folders.js";

function demo(folder: string, ...options: readonly string[]): Promise<Outcome> {
  const args = ["dist/cli/main.js", "demo", "--out", folder, ...options];
  return run(process.execPath, args, { cwd: process.cwd(), env: process.env });
}

function scratch(): string {
  const folder = temporaryFolder();
  return folder;
}

const small = ["--pictures", "4", "--width", "0.05", "--epochs", "1"];

it("runs from nothing to predictions by the commands that it shows, and goes on with what is there", async () => {
  const folder = scratch();
  const first = await demo(folder, ...small);
  expect(first.status, first.stderr).toBe(0);
  const shown = first.stderr.split("\n").filter((line) => line.startsWith("$ alexnet "));
  expect(shown.map((line) => line.split(" ")[2])).toEqual(["prepare", "train", "evaluate", "classify"]);
  for (const part of ["10 views", "top-1 ", "bicycle ", "umbrella "]) expect(first.stdout).toContain(part);
  expect(first.stdout).toContain(`${folder}/pictures/val/fish/0001.jpg\n`);

  const drawn = statSync(join(folder, "pictures")).birthtimeMs;
  const second = await demo(folder, ...small);
  expect(second.status, second.stderr).toBe(0);
  expect(second.stderr).toContain("drawn already");
  expect(second.stderr).toContain(`$ alexnet train --resume ${folder}/run\n`);
  expect(statSync(join(folder, "pictures")).birthtimeMs).toBe(drawn);
}, 300_000);

it("ends with the status of the command that failed, and without the others", async () => {
  const folder = scratch();
  const { status, stderr } = await demo(folder, ...small, "--width", "16");
  expect(status).toBe(1);
  expect(stderr).toMatch(/^alexnet: memory: training with batches of 32 takes/m);
  expect(stderr).not.toContain("$ alexnet evaluate");
});

it("leaves a folder alone that it did not make", async () => {
  const folder = scratch();
  writeFileSync(join(folder, "thesis.txt"), "");
  const { status, stderr } = await demo(folder, ...small);
  expect(status).toBe(1);
  expect(stderr).toBe(`alexnet: ${folder}: holds files, and no demo; choose another folder (--out)\n`);
});
