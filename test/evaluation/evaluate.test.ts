import { cpSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { type EvaluateOptions, type Evaluation, evaluate, type LabelledPrediction } from "#src/evaluation/evaluate.js";
import { isCorrect } from "#src/scoring/prediction.js";
import { parseCsvLine, splitCsvLines } from "#src/system/csv.js";
import { alexnet } from "../support/command-line.js";
import { quick, trainedSet } from "../support/trained-runs.js";

const { run, scratch, path } = trainedSet();

/** Without what depends on the clock. */
function counts({ imagesPerSecond: _, ...rest }: Evaluation): unknown {
  return rest;
}

it("a held-out folder of classes is evaluated whole, a divided one on its validation pictures, unless asked otherwise", async () => {
  const undivided = join(path, "train");
  expect(await evaluate({ run, data: undivided, ...quick })).toMatchObject({ samples: 24, split: "all" });
  expect(await evaluate({ run, data: path, ...quick })).toMatchObject({ samples: 15, split: "val" });
  expect(await evaluate({ run, data: undivided, split: "train", ...quick })).toMatchObject({
    samples: 24,
    split: "train",
  });
  await expect(evaluate({ run, data: undivided, split: "val", ...quick })).rejects.toMatchObject({
    code: "unusable-data",
    hints: [{ option: "split", value: "all" }],
  });
});

describe("pictures for tests", () => {
  it("are evaluated by themselves when asked for, of the run's own set too", async () => {
    const set = join(scratch, "with-tests");
    cpSync(path, set, { recursive: true });
    cpSync(join(path, "val"), join(set, "Testing"), { recursive: true });
    rmSync(join(set, "Testing", "lake", "0.png"));
    const files: string[] = [];
    const onEvent: EvaluateOptions["onEvent"] = (event) => {
      if (event.kind === "prediction") files.push(event.file);
    };
    const tested = await evaluate({ run, data: set, split: "test", onEvent, ...quick });
    expect(tested).toMatchObject({ samples: 14, split: "test", data: set });
    expect(files.every((file) => file.startsWith("Testing/"))).toBe(true);
    expect(await evaluate({ run, data: set, ...quick })).toMatchObject({ samples: 15, split: "val" });
    await expect(evaluate({ run, split: "test", ...quick })).rejects.toThrow(/no pictures for tests with labels in it/);
  });

  it("of a prepared store there are none, which is said", async () => {
    const { store } = await evaluate({ run, ...quick });
    await expect(evaluate({ run, data: store, split: "test", ...quick })).rejects.toMatchObject({
      code: "invalid-option",
      hints: [{ option: "data" }],
    });
  });
});

describe("classes that are not the network's", () => {
  const some = join(scratch, "some");
  beforeAll(() => {
    cpSync(join(path, "val", "apple"), join(some, "apple"), { recursive: true });
    cpSync(join(path, "val", "lake"), join(some, "pond"), { recursive: true });
  });

  it("are refused by the name of what was given, with the way out", async () => {
    await expect(evaluate({ run, data: some, ...quick })).rejects.toMatchObject({
      code: "classes-differ",
      problem: `${some}: its classes are not the network's: it lacks lake, meadow; the network does not know pond`,
      hints: [{ option: "allowMissingClasses", value: true }],
    });
  });

  it("are left out when asked for, and it says what", async () => {
    const result = await evaluate({ run, data: some, allowMissingClasses: true, ...quick });
    expect(result).toMatchObject({
      samples: 5,
      leftOut: { missing: ["lake", "meadow"], unknown: [{ name: "pond", pictures: 5 }] },
    });
    expect(result.perClass.map(({ name, samples }) => [name, samples])).toEqual([
      ["apple", 5],
      ["lake", 0],
      ["meadow", 0],
    ]);
    const { stdout } = alexnet("evaluate", run, some, "--allow-missing-classes", "--threads", "1");
    expect(stdout).toContain("left out, having no pictures: lake, meadow");
    expect(stdout).toContain("left out, being of no class of the network: 5 pictures of pond");
  });

  it("all of them: an error", async () => {
    const none = join(scratch, "none");
    cpSync(join(path, "val", "lake"), join(none, "pond"), { recursive: true });
    await expect(evaluate({ run, data: none, allowMissingClasses: true, ...quick })).rejects.toMatchObject({
      code: "classes-differ",
      message: expect.stringContaining("the network knows none of its classes (pond)"),
    });
  });
});

describe("evaluating", () => {
  it.each([
    [1, 1],
    [10, 4],
    [18, 7],
  ])("%i views: the same whatever the batch size, last partial batches included", async (views, batchSize) => {
    const whole = await evaluate({ run, views, split: "all", ...quick });
    expect(whole).toMatchObject({ samples: 39, views, split: "all" });
    const parts = await evaluate({ run, views, split: "all", batchSize, ...quick });
    const { loss, calibration } = whole;
    expect(counts(parts)).toEqual({
      ...(counts(whole) as object),
      loss: expect.closeTo(loss, 5),
      calibration: {
        ...calibration,
        expectedError: expect.closeTo(calibration.expectedError, 5),
        maximumError: expect.closeTo(calibration.maximumError, 5),
        bins: calibration.bins.map((bin) => ({ ...bin, confidence: expect.closeTo(bin.confidence, 5) })),
      },
    });
  });

  it("gives each picture, and counts what it gives", async () => {
    const seen: LabelledPrediction[] = [];
    const onEvent: EvaluateOptions["onEvent"] = (event) => {
      if (event.kind === "prediction") seen.push(event);
    };
    const result = await evaluate({ run, onEvent, ...quick });
    expect(seen.map(({ sample }) => sample)).toEqual(seen.map((_, i) => i));
    expect(seen).toHaveLength(15);
    expect(seen.filter(isCorrect)).toHaveLength(result.top1Correct);
    expect(result.top5Correct).toBe(15); // of three classes
    expect(result).toMatchObject({ accuracy: result.top1Correct / 15, top5: 1 });
    for (const { file, label, best, probabilities, labelProbability } of seen) {
      expect(file).toContain(`/${result.perClass[label].name}/`);
      expect(probabilities).toEqual([...probabilities].sort((a, b) => b - a));
      expect(probabilities.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 5);
      expect(labelProbability).toBe(probabilities[best.indexOf(label)]);
    }
    const total = result.confusion.reduce((sum, { count }) => sum + count, 0);
    const right = result.confusion.filter(({ label, predicted }) => label === predicted);
    expect(total).toBe(15);
    expect(right.reduce((sum, { count }) => sum + count, 0)).toBe(result.top1Correct);
    expect(result.perClass.reduce((sum, { predicted }) => sum + predicted, 0)).toBe(15);
  });

  it("refuses numbers of views that make no grid", async () => {
    await expect(evaluate({ run, views: 7, ...quick })).rejects.toMatchObject({ code: "invalid-option" });
  });
});

describe("alexnet evaluate", () => {
  it("prints intervals, matrix and curve; writes each picture to a CSV file", async () => {
    const csv = join(scratch, "predictions.csv");
    const args = ["--confusion", "--calibration", "--csv", csv, "--threads", "1"];
    const { status, stdout, stderr } = alexnet("evaluate", run, ...args);
    expect(stderr).toBe("");
    expect(status).toBe(0);
    expect(stdout).toMatch(/^top-1 +\d+\.\d % +\d+\.\d to \d+\.\d % +\d+ +\d+$/m);
    expect(stdout).toMatch(/^1 apple +[·\d]+ +[·\d]+ +[·\d]+$/m);
    expect(stdout).toMatch(/^\d+ to \d+ % +\d+ /m);
    const rows = splitCsvLines(readFileSync(csv, "utf8")).map(parseCsvLine);
    expect(rows[0].slice(0, 7)).toEqual([
      "split",
      "file",
      "class",
      "correct",
      "class_probability",
      "class_1",
      "probability_1",
    ]);
    expect(rows).toHaveLength(16);
    for (const [split, file, name, correct, , first] of rows.slice(1)) {
      expect([split, file.split("/")[1]]).toEqual(["val", name]);
      expect(correct).toBe(first === name ? "1" : "0");
    }
  });

  it("as JSON has intervals, precision and the matrix by names", () => {
    const { stdout } = alexnet("evaluate", run, "--views", "144", "--json", "--threads", "1");
    const result = JSON.parse(stdout);
    expect(result).toMatchObject({ samples: 15, views: 144, split: "val" });
    expect(result.top1ErrorInterval.low).toBeLessThanOrEqual(result.top1Error);
    expect(result.top1ErrorInterval.high).toBeGreaterThanOrEqual(result.top1Error);
    expect(result.classes[0]).toMatchObject({ name: "apple", samples: 5, precision: expect.any(Number) });
    expect(result.confusion[0]).toEqual({ class: "apple", predicted: expect.any(String), count: expect.any(Number) });
    expect(result.calibration.bins).toHaveLength(15);
    expect(result.imagesPerSecond).toBeGreaterThan(0);
  });

  it("says which numbers of views there are", () => {
    const { status, stderr } = alexnet("evaluate", run, "--views", "7");
    expect(status).toBe(2);
    expect(stderr).toContain("7 views: give 1, 2, 5, 10, or twice the number of crops of a grid");
  });
});
