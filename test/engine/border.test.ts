import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CompileOptions, Engine, Program, StepOptions } from "#src/engine/engine.js";
import { openEngine } from "#src/engine/host/open.js";
import type { Batch } from "#src/network/picture.js";
import {
  centred,
  networkOf,
  noiseBatch,
  normalTensor,
  plainView,
  SMALL_CLASSES,
  smallNetwork,
} from "../support/networks.js";

/** What every engine refuses before it computes. */

let engine: Engine;
let program: Program;
const options: CompileOptions = { batchSize: 2, mode: "train", preprocessing: centred };
const stepOptions: StepOptions = { learningRate: 0.01, momentum: 0.9, weightDecay: 0, seed: 1 };
const batch = noiseBatch(2, SMALL_CLASSES);

beforeAll(async () => {
  engine = await openEngine("reference");
  program = await engine.compile(smallNetwork, options);
});
afterAll(() => engine.close());

const refused = (call: Promise<unknown>, message: RegExp) =>
  expect(call).rejects.toMatchObject({ code: "invalid-option", message: expect.stringMatching(message) });

describe("compiling", () => {
  const cases: Record<string, [Partial<CompileOptions>, RegExp]> = {
    "no samples": [{ batchSize: 0 }, /batch size: 0 .* whole number from 1/],
    "half a sample": [{ batchSize: 1.5 }, /batch size: 1.5/],
    "a mean image that is no square": [
      { preprocessing: { mean: new Float32Array(6), scale: [1, 1, 1] } },
      /mean image: 6 values; it takes those of a square in three colours/,
    ],
    "a mean image of pictures smaller than the crop": [
      { preprocessing: { mean: new Float32Array(14 * 14 * 3), scale: [1, 1, 1] } },
      /mean image: 14x14x3; test sees crops of 15x15/,
    ],
    "a scale that is no number": [
      { preprocessing: { ...centred, scale: [1, Number.NaN, 1] } },
      /input scale: 1, NaN, 1/,
    ],
    "multipliers of parameters it lacks": [
      { multipliers: { "conv9.weight": { learningRate: 1, weightDecay: 1 } } },
      /no parameter conv9.weight; it has conv1.weight, conv1.bias/,
    ],
    "negative multipliers": [
      { multipliers: { "conv1.bias": { learningRate: -1, weightDecay: 1 } } },
      /conv1.bias has learningRate -1/,
    ],
  };
  it.each(Object.entries(cases))("refuses %s", async (_name, [wrong, message]) => {
    await refused(engine.compile(smallNetwork, { ...options, ...wrong }), message);
  });

  it("refuses networks that break a rule", async () => {
    const empty = networkOf(8);
    for (const call of [engine.compile(empty, options), engine.estimateMemory(empty, options)])
      await expect(call).rejects.toMatchObject({ code: "invalid-network", message: "test: has no layers" });
    await refused(engine.estimateMemory(smallNetwork, { batchSize: 0, mode: "train" }), /batch size: 0/);
  });
});

describe("holding pictures", () => {
  it("is for devices with memory of their own", async () => {
    expect(await program.reserve(1)).toBe(0);
    await refused(program.hold(batch.pictures), /hold: 0 and 2 pictures; 0 were reserved/);
    await refused(program.step({ ...batch, held: true }, stepOptions), /sample 0 asks for .* of 0 pictures held/);
  });
});

describe("stepping", () => {
  const view = (change: object) => ({ views: [{ ...plainView, ...change }, plainView] });
  const cases: Record<string, [Partial<Batch>, RegExp]> = {
    "no samples": [{ views: [], labels: new Int32Array() }, /batch: 0 samples; this program takes 1 to 2/],
    "more samples than it was compiled for": [{ views: [plainView, plainView, plainView] }, /batch: 3 samples/],
    "part of a picture": [{ pictures: new Uint8Array(1000) }, /batch: 1000 bytes are no whole number of 256x256x3/],
    "a picture that is not there": [view({ picture: 2 }), /sample 0 asks for .* of 2 pictures/],
    "a crop over the edge": [view({ left: 242 }), /sample 0 .* crops from 0 to 241/],
    "a crop before the edge": [view({ top: -1 }), /sample 0/],
    "a crop between pixels": [view({ top: 0.5 }), /sample 0/],
    "a shift that is no number": [view({ colourShift: [0, Number.NaN, 0] }), /sample 0/],
    "fewer labels than samples": [{ labels: Int32Array.of(1) }, /labels: 1 for 2 samples/],
    "a class that is not there": [{ labels: Int32Array.of(0, 5) }, /sample 1 has 5; there are 5 classes/],
    "a negative class": [{ labels: Int32Array.of(-1, 0) }, /sample 0 has -1/],
  };
  it.each(Object.entries(cases))("refuses %s", async (_name, [wrong, message]) => {
    await refused(program.step({ ...batch, ...wrong }, stepOptions), message);
  });

  it("refuses options that are no numbers", async () => {
    await refused(program.step(batch, { ...stepOptions, learningRate: Number.NaN }), /learningRate is NaN/);
  });

  it("reads no labels when predicting", async () => {
    expect((await program.predict({ ...batch, labels: new Int32Array() })).length).toBe(2 * SMALL_CLASSES);
    await refused(program.predict({ ...batch, views: [] }), /0 samples/);
  });

  it("refuses parameters of another length", async () => {
    await refused(program.write("parameters", new Float32Array(7)), /parameters: 7 values for a network that has \d+/);
  });
});

describe("splitting a step", () => {
  it("is for programs compiled for it, to train", async () => {
    await refused(program.forward(batch, { seed: 1 }), /forward: steps are not split; compile .* bucketBytes/);
    await refused(program.backward(0), /backward: steps are not split/);
    await refused(program.update(stepOptions), /update: steps are not split/);
    await refused(engine.compile(smallNetwork, { ...options, bucketBytes: -1 }), /bucketBytes: -1/);
    const predicting = { ...options, mode: "predict", bucketBytes: 0 } as const;
    await refused(engine.compile(smallNetwork, predicting), /bucketBytes: only steps have gradients/);
  });

  it("takes its parts in order, each once", async () => {
    const split = await engine.compile(smallNetwork, { ...options, bucketBytes: 0 });
    await refused(split.backward(0), /no split step is under way/);
    await refused(split.update(stepOptions), /gradients are missing/);
    await split.forward(batch, { seed: 1 });
    await refused(split.backward(1), /bucket 1; the turn is that of bucket 0 of 4/);
    for (const i of split.buckets.keys()) await split.backward(i);
    await refused(split.backward(3), /bucket 3; the turn is that of bucket 4 of 4/);
    await split.update(stepOptions);
    await refused(split.update(stepOptions), /gradients are missing/);
    await split.forward(batch, { seed: 1 });
    await split.step(batch, stepOptions);
    await refused(split.backward(0), /no split step is under way/);
  });

  it("refuses a whole batch of fewer samples than are here, and rates that are no numbers", async () => {
    const split = await engine.compile(smallNetwork, { ...options, bucketBytes: 1e9 });
    await refused(split.forward(batch, { seed: 1, samples: 1 }), /1 samples in the whole batch, of which 2 are here/);
    await split.forward(batch, { seed: 1 });
    await split.backward(0);
    await refused(split.update({ ...stepOptions, momentum: Number.NaN }), /update: momentum is NaN/);
  });
});

describe("differentiating", () => {
  const fc = { kind: "fully-connected", name: "fc", outputs: 3 } as const;
  const [x, dy, w, b] = [normalTensor(1, 2, 4), normalTensor(2, 2, 3), normalTensor(3, 3, 4), normalTensor(4, 3)];

  it("refuses dropout, whose result a step's seed draws", async () => {
    await refused(engine.differentiate({ kind: "dropout", name: "drop", rate: 0.5 }, { x, dy: x }), /^drop: /);
  });

  it("refuses tensors that don't fit the layer", async () => {
    await refused(engine.differentiate(fc, { x, dy }), /fc: give w and b to layers that have weights/);
    await refused(engine.differentiate({ kind: "relu", name: "relu" }, { x, dy: x, w, b }), /relu: give w and b/);
    await refused(engine.differentiate(fc, { x, dy: x, w, b }), /fc: dy: 8 values for a shape of 6/);
    await refused(engine.differentiate(fc, { x, dy, w: x, b }), /fc: w: 8 values for a shape of 12/);
    await refused(engine.differentiate(fc, { x, dy, w, b: x }), /fc: b: 8 values for a shape of 3/);
    await refused(engine.crossEntropy(x, Int32Array.of(0)), /labels: 1 for 2 samples/);
    await refused(engine.crossEntropy(x, Int32Array.of(0, 4)), /sample 1 has 4/);
    await refused(engine.crossEntropy(x, Int32Array.of(0, 1), Float32Array.of(1)), /weights: 1 for 2 samples/);
    for (const wrong of [-1, Number.NaN, Infinity])
      await refused(engine.crossEntropy(x, Int32Array.of(0, 1), Float32Array.of(1, wrong)), /weights: sample 1 has/);
  });
});
