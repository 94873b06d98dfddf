import { cpSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { evaluate } from "#src/evaluation/evaluate.js";
import { lastFrozenLayer } from "#src/evaluation/frozen-features.js";
import { exportModel } from "#src/formats/export.js";
import type { Model } from "#src/model/model.js";
import { paper } from "#src/network/architectures/paper.js";
import { parameterTable, parameterView } from "#src/network/parameters.js";
import { recipes } from "#src/recipes/recipes.js";
import { checkpointPath } from "#src/runs/checkpoint/keep.js";
import { readModel } from "#src/runs/checkpoint/read.js";
import type { TrainEvent } from "#src/runs/events.js";
import { readConfig } from "#src/runs/settings.js";
import { startFrom } from "#src/training/pretrained.js";
import { multipliersOf } from "#src/training/settle.js";
import { resume, type TrainOptions, train } from "#src/training/train.js";
import { encodeCaffemodel } from "../support/caffe-files.js";
import { alexnet } from "../support/command-line.js";
import { expectClose } from "../support/compare.js";
import { drawnPictures } from "../support/pictures.js";
import { expectSameRun, lastCheckpoint } from "../support/runs.js";
import { quickTraining } from "../support/training.js";

const pictures = drawnPictures({ train: 10, val: 3 });
const base = join(pictures.scratch, "base");
const two = join(pictures.scratch, "two"); // pictures of two other classes
const quick = { engine: "onednn", threads: 1 } as const;
const recipe = { ...recipes["fine-tune"], epochs: 3, batchSize: 8 };
const { newRun } = pictures;

beforeAll(async () => {
  const learning = { ...recipes.small, epochs: 2, batchSize: 8, inputScale: 1 / 50 };
  await train(quickTraining(pictures.path, base, { recipe: learning, seed: 5 }));
  for (const split of ["train", "val"])
    for (const [from, to] of [
      ["lake", "sea"],
      ["meadow", "grass"],
    ])
      cpSync(join(pictures.path, split, from), join(two, split, to), { recursive: true });
});

/** 20 pictures in batches of 8: 3 steps an epoch. */
function options(run: string, changes: Partial<TrainOptions> = {}): TrainOptions {
  return quickTraining(two, run, { network: undefined, from: base, recipe, seed: 5, ...changes });
}

function bestOf(run: string): Model {
  return readModel(checkpointPath(join(run, "checkpoints"), "best"));
}

/** The part of a model that belongs to a layer: weights, then biases. */
function layerOf({ network, parameters }: Model, layer: string): readonly Float32Array[] {
  return parameterTable(network)
    .filter((parameter) => parameter.layer === layer)
    .map((parameter) => parameterView(parameters, parameter));
}

const featureFolder = join(pictures.scratch, "cache", "features");
const isComputing = (event: TrainEvent): boolean => event.kind === "progress" && event.of.startsWith("features of ");
const cached = (): readonly string[] => readdirSync(featureFolder);

test("a network of another width keeps it in the new run's records", async () => {
  const [narrow, run] = [newRun(), newRun()];
  await train(quickTraining(pictures.path, narrow, { width: 0.5, epochs: 1 }));
  await train(options(run, { from: narrow, recipe: { ...recipe, epochs: 1 } }));
  expect(readConfig(join(run, "config.json")).width).toBe(0.5);
});

describe("going on from a trained network", () => {
  test("gives the last layer to the new classes; frozen layers and preprocessing stay the base's", async () => {
    const run = newRun();
    await train(options(run, { freeze: "conv1" }));
    const [before, after] = [bestOf(base), lastCheckpoint(run).model];
    expect(after.classes).toEqual(["grass", "sea"]);
    expect(after.preprocessing).toEqual(before.preprocessing);
    expect(after.preprocessing.scale[0]).toBeCloseTo(1 / 50);
    expect(layerOf(after, "conv1")).toEqual(layerOf(before, "conv1"));
    expect(layerOf(after, "fc2")).not.toEqual(layerOf(before, "fc2"));
    expect(layerOf(after, "fc3").map(({ length }) => length)).toEqual([12, 2]);
    const config = readConfig(join(run, "config.json"));
    expect(config.base).toMatchObject({ path: expect.stringMatching(/step-\d+\.safetensors$/), head: "new" });
    expect(config.recipe).toMatchObject({ name: "fine-tune", layerRates: { conv1: 0 } });
    expect(await evaluate({ run, ...quick })).toMatchObject({ samples: 6 });
  });

  test("begins with the base's parameters: with the same classes nothing is lost", async () => {
    const run = newRun();
    await train(options(run, { data: pictures.path, epochs: 1, learningRate: 1e-12 }));
    expect(readConfig(join(run, "config.json")).base?.head).toBe("kept");
    expectClose(lastCheckpoint(run).model.parameters, bestOf(base).parameters, 1e-6, "parameters");
  });

  test("keeps the last layer's outputs for the same classes in another order", () => {
    const model = bestOf(base);
    const turned = startFrom(model, ["meadow", "apple", "lake"], recipe, 5);
    const [[w0, b0], [w1, b1]] = [layerOf(model, "fc3"), layerOf(turned, "fc3")];
    expect([...b1]).toEqual([b0[2], b0[0], b0[1]]);
    expect([...w1]).toEqual([...w0.slice(12, 18), ...w0.slice(0, 12)]);
    expect(layerOf(turned, "fc2")).toEqual(layerOf(model, "fc2"));
  });

  test.each(["pth", "safetensors", "onnx"] as const)(
    "takes an exported .%s as the run it came from",
    async (ending) => {
      const file = join(pictures.scratch, `base.${ending}`);
      const format = ending === "pth" ? "pytorch" : ending;
      await exportModel(bestOf(base), file, { format });
      const [a, b] = [newRun(), newRun()];
      await train(options(a, { from: file, epochs: 1 }));
      await train(options(b, { from: checkpointPath(join(base, "checkpoints"), "best"), epochs: 1 }));
      expectSameRun(a, b);
    },
  );

  test("takes a .caffemodel that says how it was preprocessed; of one that doesn't, it says what to do", async () => {
    const trained = bestOf(base);
    // windows of 4 end at the edge of conv1's 8 places: Caffe pools there as we do
    const layers = trained.network.layers.map((layer) => (layer.kind === "max-pool" ? { ...layer, size: 4 } : layer));
    const model = { ...trained, network: { ...trained.network, layers } };
    const transform_param = { crop_size: 67, scale: 0.02, mean_value: [104, 117, 123] };
    const file = join(pictures.scratch, "told.caffemodel");
    writeFileSync(file, encodeCaffemodel(model, "layer", [{ name: "data", type: "Data", transform_param }]));
    const run = newRun();
    await train(options(run, { from: file, freeze: "conv1", epochs: 1 }));
    const tuned = lastCheckpoint(run).model;
    expect(layerOf(tuned, "conv1")).toEqual(layerOf(model, "conv1"));
    expect([...tuned.preprocessing.mean.subarray(0, 3)]).toEqual([123, 117, 104]);
    expect(tuned.preprocessing.scale[0]).toBeCloseTo(0.02);

    const silent = join(pictures.scratch, "silent.caffemodel");
    writeFileSync(
      silent,
      encodeCaffemodel(model, "layer", [{ name: "data", type: "Data", transform_param: { crop_size: 67 } }]),
    );
    await expect(train(options(newRun(), { from: silent }))).rejects.toThrow(
      /does not say what is subtracted from pixels; make a run of it that says its mean.*importModel\({ path: ".*silent\.caffemodel"/,
    );
  });

  test("learns at the layers' own rates", () => {
    const layerRates = { conv1: 0, fc8: 10 };
    const multipliers = multipliersOf({ ...recipes.caffe, layerRates }, paper);
    expect(multipliers).toMatchObject({
      "conv1.weight": { learningRate: 0, weightDecay: 1 },
      "conv1.bias": { learningRate: 0, weightDecay: 0 },
      "conv2.bias": { learningRate: 2, weightDecay: 0 },
      "fc8.weight": { learningRate: 10, weightDecay: 1 },
      "fc8.bias": { learningRate: 20, weightDecay: 0 },
    });
    expect(multipliers).not.toHaveProperty("conv2.weight");
    expect(multipliersOf(recipes.paper, paper)).toEqual({});
  });
});

describe("what frozen layers make of pictures", () => {
  beforeEach(() => {
    rmSync(featureFolder, { recursive: true, force: true });
  });

  test("can be kept up to the first layer that learns or is random", () => {
    const kept = (layers: readonly string[], augmentation = false): string | undefined =>
      lastFrozenLayer(paper, {
        ...recipes.paper,
        augmentation,
        layerRates: Object.fromEntries(layers.map((layer) => [layer, 0])),
      });
    const convolutions = ["conv1", "conv2", "conv3", "conv4", "conv5"];
    expect(kept(convolutions)).toBe("pool5");
    expect(kept([...convolutions, "fc6"])).toBe("relu6");
    expect(kept([...convolutions, "fc6", "fc7"])).toBe("relu6");
    expect(kept(["conv2"])).toBeUndefined();
    expect(kept(convolutions, true)).toBeUndefined();
  });

  test.each([
    ["conv1", "pool1"],
    ["conv1..fc2", "relu2"],
  ])("%s frozen: training on what %s gives comes to the same as computing it each time", async (freeze, layer) => {
    const [kept, computed] = [newRun(), newRun()];
    const events: TrainEvent[] = [];
    const onEvent = (event: TrainEvent): void => void events.push(event);
    const still = { ...recipe, augmentation: false, weightDecay: 0 };
    await train(options(kept, { freeze, recipe: still, onEvent }));
    expect(cached()).toEqual([expect.stringMatching(new RegExp(`^${layer}-[0-9a-f]{32}\\.safetensors$`))]);
    const computing = { of: `features of ${layer}`, done: 26, total: 26 };
    expect(events.filter((event) => isComputing(event)).at(-1)).toMatchObject(computing);
    // So low a rate changes nothing in float32; but it is not frozen, and nothing is kept.
    await train(options(computed, { recipe: still, layerRates: { [freeze]: 1e-30 } }));
    const [a, b] = [kept, computed].map((run) => lastCheckpoint(run).model.parameters);
    expectClose(a, b, 1e-5, "parameters");
    expect(cached()).toHaveLength(1);
  });

  test("are computed once for the same pictures and parameters, anew for others", async () => {
    const options_ = { freeze: "conv1", augmentation: false, epochs: 1 } as const;
    await train(options(newRun(), options_));
    const [file] = cached();
    const written = statSync(join(featureFolder, file)).mtimeMs;
    const events: TrainEvent[] = [];
    await train(options(newRun(), { ...options_, seed: 9, onEvent: (event) => events.push(event) }));
    expect(events.filter((event) => isComputing(event))).toEqual([]);
    expect(statSync(join(featureFolder, file)).mtimeMs).toBe(written);
    await train(options(newRun(), { ...options_, data: pictures.path }));
    expect(cached()).toHaveLength(2);
  });

  test("leave a run that is whole: it predicts pictures", async () => {
    const run = newRun();
    await train(options(run, { freeze: "conv1", augmentation: false }));
    const best = lastCheckpoint(run).origin.state.best;
    const { samples, top1Correct } = await evaluate({ run, ...quick });
    expect(1 - top1Correct / samples).toBeCloseTo(best?.error ?? Number.NaN, 10);
  });

  test("are made anew where their file is damaged", async () => {
    const choices = { freeze: "conv1", augmentation: false, epochs: 1 } as const;
    const [a, b] = [newRun(), newRun()];
    await train(options(a, choices));
    const file = join(featureFolder, cached()[0]);
    const whole = readFileSync(file);
    writeFileSync(file, whole.subarray(0, -4));
    await train(options(b, choices));
    expect(readFileSync(file).equals(whole)).toBe(true);
    expectSameRun(a, b);
  });
});

describe("resuming", () => {
  test.each([
    ["with augmentation", true],
    ["on cached features", false],
  ])("%s is exact", async (_, augmentation) => {
    const choices = { freeze: "conv1", headRate: 10, augmentation } as const;
    const [whole, parts] = [newRun(), newRun()];
    await train(options(whole, choices));
    for (const [i, steps] of [2, 3].entries()) {
      const stop = new AbortController();
      let seen = 0;
      const onEvent = ({ kind }: TrainEvent): void => {
        if (kind === "step" && ++seen === steps) stop.abort("test");
      };
      const watched = { onEvent, signal: stop.signal };
      const begun = i === 0 ? train(options(parts, { ...choices, ...watched })) : resume({ run: parts, ...watched });
      await expect(begun).rejects.toMatchObject({ code: "interrupted" });
    }
    await resume({ run: parts });
    expectSameRun(parts, whole);
  });

  test("needs no base once there is a checkpoint; before, the base as it was", async () => {
    const moving = join(pictures.scratch, "moving");
    cpSync(base, moving, { recursive: true, verbatimSymlinks: true });
    const run = newRun();
    await train(options(run, { from: moving, epochs: 1 }));
    const checkpoints = join(run, "checkpoints");
    const config = readFileSync(join(run, "config.json"), "utf8");
    rmSync(checkpoints, { recursive: true });
    rmSync(join(run, "metrics.jsonl"));
    await resume({ run });
    expect(readdirSync(checkpoints).length).toBeGreaterThan(0);

    rmSync(checkpoints, { recursive: true });
    writeFileSync(
      join(run, "config.json"),
      config.replace(/"hash": "[0-9a-f]{64}",\n {4}"head"/, '"hash": "0",\n    "head"'),
    );
    await expect(resume({ run })).rejects.toThrow(/which changed since, and has no checkpoint yet/);
  });

  test("keeps which layers learn", async () => {
    const run = newRun();
    await train(options(run, { freeze: "conv1", epochs: 1 }));
    await expect(resume({ run, freeze: "conv1..fc2" })).rejects.toThrow(/recipe\.layerRates\.fc2: none, now 0/);
    await expect(resume({ run, augmentation: false })).rejects.toThrow(/recipe\.augmentation: true, now false/);
    await expect(resume({ run, from: base })).rejects.toThrow(/leave it out, or begin a new run \(from\)/);
    await resume({ run, freeze: "conv1" });
  });
});

describe("refusals, before anything is prepared", () => {
  test.each<[string, Partial<TrainOptions>, RegExp]>([
    [
      "an unknown layer",
      { freeze: "conv1..conv9" },
      /conv9: tiny has no layer of this name that learns; there are conv1, fc2, fc3/,
    ],
    ["all frozen", { freeze: "conv1..fc3" }, /all layers would be frozen/],
    ["no factor", { headRate: -1 }, /headRate is -1; give a number from 0/],
    ["another network", { network: "caffe" }, /the network is that of .* \(tiny\); leave it out \(network\)/],
    ["a width", { width: 0.5 }, /leave it out \(width\)/],
    ["nothing there", { from: "nowhere" }, /nowhere: no such run or file to go on from/],
    ["no model", { from: import.meta.filename }, /of no known kind/],
  ])("%s", async (_, changes, message) => {
    const run = newRun();
    const events: string[] = [];
    const refused = train(options(run, { data: "not-there", onEvent: ({ kind }) => events.push(kind), ...changes }));
    await expect(refused).rejects.toThrow(message);
    expect(events).toEqual([]);
  });

  test("a file that doesn't say all says what to do", async () => {
    const { parameters, network } = bestOf(base);
    const { encodeSafetensors } = await import("#src/formats/safetensors.js");
    const tensors = parameterTable(network).map(
      (parameter) => [parameter.name, { shape: parameter.shape, data: parameterView(parameters, parameter) }] as const,
    );
    const file = join(pictures.scratch, "bare.safetensors");
    writeFileSync(file, Buffer.concat(encodeSafetensors(new Map(tensors), {})));
    await expect(train(options(newRun(), { from: file }))).rejects.toThrow(
      /bare\.safetensors: does not say which network it is; make a run of it that says its network, and start from that: importModel\({ path: ".*bare\.safetensors", out: "runs\/base" }\)/,
    );
  });
});

test("the command line freezes layers, sets their rates and says so", () => {
  const run = newRun();
  const { status, stdout, stderr } = alexnet(
    "train",
    two,
    ...["--from", base, "--freeze", "conv1", "--head-lr", "10x", "--layer-lr", "fc2=0.5", "--no-augmentation"],
    ...["--epochs", "1", "--run", run, "--threads", "1"],
  );
  expect(status, stderr).toBe(0);
  expect(stdout).toMatch(/^from .*base\/checkpoints\/step-\d+\.safetensors, with a new last layer$/m);
  expect(stdout).toMatch(/^ {2}frozen: conv1$/m);
  expect(stdout).toMatch(/^ {2}learning rate: fc2 0\.5x, fc3 10x$/m);
  expect(stdout).toMatch(/^recipe fine-tune: goes on from trained parameters/m);
  expect(alexnet("train", two, "--from", base, "--head-lr", "ten").status).toBe(2);
});
