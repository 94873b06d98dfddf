import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { alexnet } from "../support/command-line.js";
import { drawnPictures } from "../support/pictures.js";
import { tinyNetwork } from "../support/training.js";

const { path, scratch } = drawnPictures({ train: 8, val: 2 });
const network = join(scratch, "tiny.json");
const tiny = ["--network", network, "--threads", "1"];
beforeAll(() => writeFileSync(network, JSON.stringify(tinyNetwork)));

test.each(["train", "predict"])("bench %s says what was run, its rate and its share of the machine's", (mode) => {
  const { status, stdout, stderr } = alexnet("bench", mode, ...tiny, "--batch", "2", "--steps", "3");
  expect(status, stderr).toBe(0);
  const [setting, rate, share, memory] = stdout.split("\n");
  expect(setting).toMatch(/1 threads; tiny, batch 2, width 1$/);
  expect(rate).toMatch(/^[\d.]+ images\/s, [\d.]+ ms a step \(median of 3; 99 % within [\d.]+ ms\)$/);
  expect(share).toMatch(/^\d+ GFLOP\/s, [\d.]+ % of this machine's matrix product \(\d+ GFLOP\/s\)$/);
  expect(memory).toMatch(/ of memory at most$/);
});

test("bench train as JSON has positive numbers alone", () => {
  const result: unknown = JSON.parse(
    alexnet("bench", "train", ...tiny, "--batch", "2", "--steps", "2", "--json").stdout,
  );
  expect(result).toMatchObject({ imagesPerSecond: expect.any(Number), milliseconds: { median: expect.any(Number) } });
});

test("bench layers has a row for each layer that computes, whose times sum to what it says", () => {
  const { status, stdout, stderr } = alexnet("bench", "layers", ...tiny, "--batch", "2", "--steps", "3");
  expect(status, stderr).toBe(0);
  expect(stdout).toMatch(/^layer +operation +ms +share +rate +of machine +implementation$/m);
  for (const layer of ["conv1", "pool1", "fc2", "fc3"]) expect(stdout).toMatch(new RegExp(`^${layer} +\\w`, "m"));
  expect(stdout).toMatch(/^rows sum to \d+ ms; the step takes \d+ ms$/m);
});

test("find-learning-rate prints the loss over the rate within 80 columns, suggests one, and keeps nothing but the SVG", () => {
  const svg = join(scratch, "rates.svg");
  const sweep = [...tiny, "--batch", "8", "--steps", "20", "--recipe", "small"];
  const { status, stdout, stderr } = alexnet("find-learning-rate", path, ...sweep, "--svg", svg);
  expect(status, stderr).toBe(0);
  expect(stdout).toMatch(/^tiny, recipe small, batches of 8: \d+ steps$/m);
  expect(stdout).toMatch(/^ +1e-6 +learning rate +\de[+-]\d$/m);
  expect(stdout).toMatch(/^(suggested: --learning-rate [\d.e-]+|the loss did not fall)/m);
  expect(
    Math.max(
      ...stdout
        .split("\n")
        .slice(2, 22)
        .map((line) => line.length),
    ),
  ).toBeLessThanOrEqual(80);
  expect(readFileSync(svg, "utf8")).toContain(">learning rate<");
});

test("find-learning-rate as JSON has a point for each step, with rising rates", () => {
  const options = [...tiny, "--batch", "8", "--steps", "10", "--from", "1e-5", "--to", "1e-2", "--json"];
  const { network: name, points } = JSON.parse(alexnet("find-learning-rate", path, ...options).stdout);
  expect(name).toBe("tiny");
  const rates: number[] = points.map(({ learningRate }: { learningRate: number }) => learningRate);
  expect(rates).toHaveLength(10);
  expect(rates[0]).toBeCloseTo(1e-5, 12);
  expect(rates.at(-1)).toBeCloseTo(1e-2, 9);
  expect(rates).toEqual([...rates].sort((a, b) => a - b));
});

test("find-learning-rate refuses rates that don't rise", () => {
  const { status, stderr } = alexnet("find-learning-rate", path, ...tiny, "--from", "1", "--to", "0.1");
  expect(status).toBe(2);
  expect(stderr).toContain("from 1 to 0.1: the rates must rise; give one above the first (--to)");
});
