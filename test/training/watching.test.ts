import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openEngine } from "#src/engine/host/open.js";
import { withHints } from "#src/errors.js";
import { parameterCount, parameterTable, parameterView } from "#src/network/parameters.js";
import { recipes } from "#src/recipes/recipes.js";
import type { TrainEvent } from "#src/runs/events.js";
import { readMetrics } from "#src/runs/metrics.js";
import { findLearningRate, suggestRate } from "#src/training/find-rate.js";
import { resume, type TrainOptions, train } from "#src/training/train.js";
import { locateDivergence } from "#src/training/watching/divergence.js";
import { drawnPictures } from "../support/pictures.js";
import { lastCheckpoint } from "../support/runs.js";
import { exampleCheckpoint, quickTraining } from "../support/training.js";

const pictures = drawnPictures({ train: 10, val: 3 });
const { newRun } = pictures;

function options(run: string, changes: Partial<TrainOptions> = {}): TrainOptions {
  return quickTraining(pictures.path, run, changes);
}

/** Epochs of more than 100 steps. */
const many = drawnPictures({ train: 40, val: 1 });

async function warningsOf(changes: Partial<TrainOptions>): Promise<readonly string[]> {
  const warnings: string[] = [];
  const onEvent = (event: TrainEvent): void => {
    if (event.kind === "warning") warnings.push(withHints(event.problem, event.hints));
  };
  await train(options(newRun(), { ...changes, onEvent }));
  return warnings;
}

describe("a network that doesn't learn", () => {
  const stuck = {
    batchSize: 8,
    learningRate: 1e-9,
    initialisation: { deviation: 1e-4, biases: { fc2: -1 } }, // their ReLU keeps all of fc2's outputs at 0
  } as const;
  const aboutLearning = (warnings: readonly string[]) => warnings.filter((warning) => warning.includes("not learning"));

  test("is named once, after an epoch in which all pictures got the same answer, with what to try", async () => {
    const told = aboutLearning(await warningsOf({ recipe: { ...recipes.paper, ...stuck, epochs: 2 } }));
    expect(told).toEqual([expect.stringContaining("every validation picture the same probabilities")]);
    expect(told[0]).toContain(
      'try the recipe made for small sets and this network (recipe: "small-unnormalised"), or try a lower rate than 1e-9 (learningRate)',
    );
  });

  test("is named once, after 100 steps at the loss of guessing, with the silent outputs", async () => {
    const recipe = { ...recipes.paper, ...stuck, epochs: 2, batchSize: 1 };
    const told = aboutLearning(await warningsOf({ data: many.path, recipe }));
    expect(told).toHaveLength(1);
    expect(told[0]).toContain("for 100 steps the loss has been within 1 % of ln 3 = 1.099");
    expect(told[0]).toContain("fc2 100 %");
  });

  test("whose recipe the program chose is not advised against it without a word about that", async () => {
    const [told] = aboutLearning(
      await warningsOf({ recipe: { ...recipes["small-unnormalised"], ...stuck, epochs: 2, learningRate: 0.005 } }),
    );
    expect(told).not.toContain("recipe:");
    expect(told).toContain("try a lower rate than 0.005, which recipe small-unnormalised begins with (learningRate)");
  });

  test("one that learns gets no warning", async () => {
    const warnings = await warningsOf({ recipe: { ...recipes.small, epochs: 30, batchSize: 8 } });
    expect(warnings, "but of the pictures").toEqual([
      expect.stringMatching(/^leakage: 9 /),
      expect.stringMatching(/^all 3 classes have fewer than 20 training pictures, /),
      expect.stringMatching(/^all 3 classes have fewer than 10 validation pictures, /),
      expect.stringMatching(/^the best epoch, \d+, was picked by 9 validation pictures: /),
    ]);
  });
});

describe("numbers that overflow", () => {
  test("name the layer, keep the last good checkpoint, say what to try", async () => {
    const run = newRun();
    const recipe = { ...recipes.small, epochs: 30, batchSize: 8 };
    await train(options(run, { recipe: { ...recipe, epochs: 1 } }));
    const before = lastCheckpoint(run);
    const failing = resume({ run, override: true, epochs: 5, learningRate: 1e30 });
    await expect(failing).rejects.toMatchObject({ code: "not-finite" });
    await expect(failing).rejects.toThrow(/the loss of step \d+ \(epoch 2\) is not finite: .*(conv1|fc2|fc3)/);
    await expect(failing).rejects.toThrow("Step 4 is saved; go on from it with a lower rate");
    await expect(failing).rejects.toThrow(`resume({ run: "${run}", override: true, learningRate: 1e+29 })`);
    expect(lastCheckpoint(run)).toEqual(before);
    expect(readFileSync(join(run, "log.txt"), "utf8")).toContain("is not finite");
  });

  test("hidden from the loss by a ReLU, which makes 0 of NaN, are found by the epoch's end", async () => {
    const initialisation = { deviation: 0.3, deviations: { conv1: 1e-32 }, biases: {} };
    const recipe = { ...recipes.small, epochs: 3, batchSize: 8, inputScale: 1e30, initialisation };
    const failing = train(options(newRun(), { recipe, learningRate: 1e-3 }));
    await expect(failing).rejects.toMatchObject({ code: "not-finite" });
    await expect(failing).rejects.toThrow(/the gradient of (conv1|fc2) was the first to overflow, by step 4/);
    await expect(failing).rejects.toThrow("Nothing is saved yet; begin anew with a lower rate (learningRate: 0.0001)");
  });

  test("are found in the first layer whose outputs overflow, or whose gradient did", async () => {
    const engine = await openEngine("onednn", { threads: 1 });
    try {
      const { model } = exampleCheckpoint(1);
      const { network, preprocessing } = model;
      const program = await engine.compile(network, { batchSize: 2, mode: "train", preprocessing });
      const pictures = new Uint8Array(256 * 256 * 3).fill(255);
      const view = { picture: 0, top: 0, left: 0, mirrored: false, colourShift: [0, 0, 0] as const };
      const batch = { pictures, views: [view, view], labels: Int32Array.of(0, 1) };
      const where = async (name: string, value: number): Promise<string> => {
        const parameters = new Float32Array(parameterCount(network)).fill(0.01);
        for (const one of parameterTable(network)) if (one.name === name) parameterView(parameters, one).fill(value);
        await program.write("parameters", parameters);
        return locateDivergence(engine, program, model, batch);
      };
      expect(await where("fc2.weight", 3e38)).toBe("the outputs of fc2 are the first to overflow");
      expect(await where("fc3.weight", 3e38)).toBe("the outputs of fc3 are the first to overflow");
      expect(await where("conv1.bias", Number.NaN)).toContain("the gradient of conv1 was the first to overflow");
    } finally {
      await engine.close();
    }
  });
});

describe("when to end", () => {
  test("an early stop comes after so many epochs without a lower error", async () => {
    const recipe = { ...recipes.small, epochs: 50, batchSize: 8, learningRate: 1e-9 };
    const summary = await train(options(newRun(), { recipe, earlyStop: 3 }));
    expect(summary).toMatchObject({ epochs: 4, reason: "no lower error for 3 epochs" });
  });

  test("with a time budget the epochs become as many as fit", async () => {
    const run = newRun();
    const summary = await train(
      options(run, { recipe: { ...recipes.small, epochs: 100_000, batchSize: 8 }, timeBudget: 3 }),
    );
    expect(summary.epochs).toBeLessThan(100_000);
    expect(lastCheckpoint(run).origin.state.epochs).toBeLessThan(100_000);
    expect(["the time budget is used up", `all ${summary.epochs} epochs are done`, "the only epoch is done"]).toContain(
      summary.reason,
    );
    expect(await resume({ run })).toMatchObject({ epochs: summary.epochs, steps: summary.steps });
  });

  test("batches sized automatically are the recipe's where those fit", async () => {
    const run = newRun();
    await train(options(run, { epochs: 1, batchSize: "auto" }));
    expect(lastCheckpoint(run).origin.recipe.batchSize).toBe(8);
  });

  test("what can't fit into memory is refused with the numbers", async () => {
    const giant = options(newRun(), { network: "paper", width: 16, batchSize: 100_000 });
    await expect(train(giant)).rejects.toThrow(/^memory: training with batches of 100000 takes .*TB, and .* are free/);
  });
});

describe("the learning-rate sweep", () => {
  test("suggests a rate from where the loss falls, and leaves nothing behind", async () => {
    const before = readdirSync(pictures.scratch).sort();
    const { data, network, recipe, engine, threads } = options("none");
    const sweep = await findLearningRate({ data, network, recipe, engine, threads, steps: 60, from: 1e-5, to: 10 });
    expect(sweep.points.length).toBeGreaterThan(20);
    expect(sweep.points[0].learningRate).toBeCloseTo(1e-5, 12);
    expect(sweep.suggested).toBeGreaterThan(1e-5);
    expect(sweep.suggested).toBeLessThan(10);
    expect(readdirSync(pictures.scratch).sort()).toEqual(before);
  });

  test("the suggestion is a tenth of where the loss is lowest; none where nothing falls", () => {
    const points = (losses: readonly number[]) =>
      losses.map((smoothLoss, i) => ({ step: i + 1, learningRate: 10 ** (i - 6), loss: smoothLoss, smoothLoss }));
    expect(suggestRate(points([2, 2, 1.9, 1.2, 0.9, 0.88, 5]))).toBeCloseTo(10 ** -2, 12);
    expect(suggestRate(points([2, 2.1, 2, 3]))).toBeUndefined();
    expect(suggestRate([])).toBeUndefined();
  });
});

describe("records", () => {
  test("epoch rows hold each layer's norms and silent share", async () => {
    const run = newRun();
    await train(options(run, { epochs: 1 }));
    const row = readMetrics(join(run, "metrics.jsonl")).at(-1);
    expect(row).toMatchObject({
      kind: "epoch",
      layers: [{ layer: "conv1" }, { layer: "fc2" }, { layer: "fc3", silent: null }],
    });
  });

  test("TensorBoard reads the event files; a resumed run takes back what it does again", (ctx) => {
    const python = process.env.ALEXNET_PYTHON ?? "python3";
    const { status } = spawnSync(python, ["-c", "import tensorboard"]);
    if (status !== 0) return ctx.skip(`${python} has no tensorboard`);
    return checkWithTensorBoard(python);
  });

  async function checkWithTensorBoard(python: string): Promise<void> {
    const run = newRun();
    const stop = new AbortController();
    const stopping = train(
      options(run, {
        metricsEvery: 1,
        signal: stop.signal,
        onEvent: (event) => event.kind === "step" && event.step === 6 && stop.abort(),
      }),
    );
    await expect(stopping).rejects.toThrow("stopped");
    await resume({ run });
    const script = `
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
events = EventAccumulator(sys.argv[1]); events.Reload()
print(json.dumps({tag: [(e.step, e.value) for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]} |
  {"images": [(e.step, e.width, e.height) for e in events.Images("filters of the first layer")]}))`;
    const { stdout, stderr } = spawnSync(python, ["-c", script, join(run, "tensorboard")], { encoding: "utf8" });
    const read = JSON.parse(stdout || stderr);
    const rows = readMetrics(join(run, "metrics.jsonl"));
    const steps = rows.filter((row) => row.kind === "step");
    expect(read["loss/training"].map(([step]: [number]) => step)).toEqual(steps.map(({ step }) => step));
    for (const [i, row] of steps.entries()) expect(read["loss/training"][i][1]).toBeCloseTo(row.loss, 5);
    expect(read["top-1 error/validation"]).toHaveLength(3);
    expect(read["gradient norm/conv1"]).toHaveLength(3);
    expect(read.images).toHaveLength(3);
  }
});
