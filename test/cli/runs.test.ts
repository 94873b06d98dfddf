import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { alexnet } from "../support/command-line.js";
import { trainedSet } from "../support/trained-runs.js";

const { run, scratch } = trainedSet();
const runs = join(scratch, "runs");
const first = join(runs, "first");
const second = join(runs, "other-seed");

beforeAll(() => {
  cpSync(run, first, { recursive: true, verbatimSymlinks: true });
  cpSync(run, second, { recursive: true, verbatimSymlinks: true });
  const config = z.record(z.string(), z.unknown()).parse(JSON.parse(readFileSync(join(second, "config.json"), "utf8")));
  writeFileSync(join(second, "config.json"), JSON.stringify({ ...config, seed: 6 }));
  mkdirSync(join(runs, "damaged"));
  writeFileSync(join(runs, "damaged", "config.json"), "{");
});

test("runs lists every run of a folder with its epochs, its best accuracy and its state, damaged ones too", () => {
  const { status, stdout, stderr } = alexnet("runs", runs);
  expect(status, stderr).toBe(0);
  expect(stdout).toMatch(/^run +epoch +best top-1 +recall +F1 +img\/s +changed +state$/m);
  expect(stdout).toMatch(/runs\/first +2\/2( +\d+\.\d %){3} +[\d.]+ +\d+:\d\d ago +ended: all 2 epochs are done$/m);
  expect(stdout).toMatch(/runs\/damaged +0\/0 +\d+:\d\d ago +damaged: .*config\.json/m);
});

test("runs as JSON has a row for each run", () => {
  const rows: unknown = JSON.parse(alexnet("runs", runs, "--json").stdout);
  expect(rows).toHaveLength(3);
  expect(rows).toContainEqual(
    expect.objectContaining({ run: first, epoch: 2, epochs: 2, bestError: expect.any(Number) }),
  );
});

test("runs of a folder that is not there says how runs are made, and of an empty one too", () => {
  mkdirSync(join(scratch, "empty"));
  expect(alexnet("runs", join(scratch, "empty")).stdout).toContain("no runs yet; alexnet train <pictures> begins one");
  const { status, stderr } = alexnet("runs", join(scratch, "nowhere"));
  expect(status).toBe(1);
  expect(stderr).toContain("no such folder");
});

test("show prints a run's settings and its curves within 80 columns, and keeps them as SVG in its folder", () => {
  const { status, stdout, stderr } = alexnet("show", first);
  expect(status, stderr).toBe(0);
  expect(stdout).toContain(`${first}: ended: all 2 epochs are done`);
  expect(stdout).toMatch(/^epoch 2 of 2, \d+ steps, best top-1 [\d.]+ %, mean recall [\d.]+ %, F1 [\d.]+ %$/m);
  expect(stdout).toMatch(/^network {3}tiny, input 67x67$/m);
  expect(stdout).toMatch(/^recipe {4}quick: batches of 8, learning rate 0\.003,/m);
  const plots = stdout.slice(stdout.indexOf("loss (nats)")).split("\n").slice(0, -2);
  expect(plots.filter((line) => /^ *└─+$/.test(line))).toHaveLength(2);
  expect(Math.max(...plots.map((line) => line.length))).toBeLessThanOrEqual(80);
  const svg = readFileSync(join(first, "curves.svg"), "utf8");
  for (const text of ["loss (nats)", "error", "training", "validation top-1"]) expect(svg).toContain(`>${text}<`);
  expect(svg).not.toMatch(/NaN|Infinity|undefined/);
});

test("show as JSON has settings and metrics, and writes nothing", () => {
  const shown: unknown = JSON.parse(alexnet("show", second, "--json").stdout);
  expect(shown).toMatchObject({ summary: { epoch: 2 }, config: { seed: 6 }, metrics: expect.any(Array) });
  expect(() => readFileSync(join(second, "curves.svg"))).toThrow(/ENOENT/);
});

test("compare lists the settings that differ, and draws the curves of all runs together", () => {
  const svg = join(scratch, "compared.svg");
  const { status, stdout, stderr } = alexnet("compare", first, second, "--svg", svg);
  expect(status, stderr).toBe(0);
  expect(stdout).toMatch(/^seed +5 +6$/m);
  expect(stdout).toMatch(/^2 +other-seed +2\/2( +\d+\.\d %){3} +ended: all 2 epochs are done$/m);
  expect(stdout).not.toContain("recipe.momentum");
  expect(stdout).toContain("validation top-1 error");
  for (const name of ["first", "other-seed"]) expect(readFileSync(svg, "utf8")).toContain(`>${name}<`);
});

test("compare as JSON has the settings that differ, and nothing but JSON", () => {
  expect(JSON.parse(alexnet("compare", first, second, "--json").stdout)).toMatchObject({
    runs: [{ run: first }, { run: second }],
    settings: [{ path: "seed", values: [5, 6] }],
  });
});

test("show and compare of what is no run say so", () => {
  for (const command of ["show", "compare"]) {
    const { status, stdout, stderr } = alexnet(command, join(scratch, "nowhere"));
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toContain("nowhere");
  }
});
