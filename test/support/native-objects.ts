import { expect } from "vitest";
import type { ComputeEngine } from "#src/engine/compute.js";
import { initialise } from "#src/network/initialise.js";
import { openObjects } from "#src/system/native/objects.js";
import { centred, networkOf, noiseBatch, normalTensor, SMALL_CLASSES, smallNetwork } from "./networks.js";

/** Native objects that an engine on this thread leaves, after everything that an engine can do. */

const step = { learningRate: 0.01, momentum: 0.9, weightDecay: 0.0005, seed: 1 };
const convolution = { kind: "convolution", filters: 8, size: 3, stride: 1, padding: 1, groups: 2 } as const;

/** Layers large enough that an engine that measures its algorithms does so. */
const measured = networkOf(
  40,
  { ...convolution, name: "conv1", filters: 64, groups: 1 },
  { kind: "relu", name: "relu1" },
  { ...convolution, name: "conv2", filters: 64 },
  { kind: "fully-connected", name: "fc3", outputs: SMALL_CLASSES },
);

/** How many objects of all kinds are open. */
export function openCount(): number {
  return Object.values(openObjects()).reduce((sum, count) => sum + count, 0);
}

/** All that an engine can do, and what it leaves when it is closed: nothing. */
export async function expectNothingLeft(open: () => ComputeEngine): Promise<void> {
  expect(openObjects()).toEqual({});
  const engine = open();
  expect(openCount()).toBeGreaterThan(0);
  await useEverything(engine);
  await engine.close();
  expect(openObjects()).toEqual({});
  await engine.close(); // a second time
  expect(openObjects()).toEqual({});
}

/** Programs that are closed leave what was there before, whatever was done with them. */
export async function expectProgramsLeaveNothing(engine: ComputeEngine): Promise<void> {
  await useEverything(engine); // an engine keeps what it makes once: modules, products of the sizes asked for
  const before = openObjects();
  await useEverything(engine);
  expect(openObjects()).toEqual(before);
}

/** Calls of one kind, over and over, make nothing that stays. */
export async function expectCallsKeepNothing(engine: ComputeEngine): Promise<void> {
  const program = await engine.compile(smallNetwork, {
    batchSize: 3,
    mode: "train",
    preprocessing: centred,
    observe: ["pool1"],
    inputGradient: true,
  });
  const batch = noiseBatch(3, SMALL_CLASSES);
  const parameters = await program.read("parameters");
  const [a, b] = [new Float32Array(4 * 8).fill(1), new Float32Array(16 * 8).fill(1)];
  const calls: Readonly<Record<string, (call: number) => unknown>> = {
    multiply: () => engine.multiply(a, b, 8),
    read: () => program.read("gradients"),
    write: () => program.write("parameters", parameters),
    predict: () => program.predict(batch),
    step: (call) => program.step(batch, { ...step, learningRate: step.learningRate / (1 + call), seed: call }),
    activation: () => program.activation("pool1"),
    inputGradient: () => program.inputGradient(),
  };
  for (const call of Object.values(calls)) await call(0);
  const before = openObjects();
  for (const [name, call] of Object.entries(calls)) {
    for (let i = 1; i <= (name === "step" || name === "predict" ? 20 : 200); i++) await call(i);
    expect(openObjects(), name).toEqual(before);
  }
  await program.close();
}

async function useEverything(engine: ComputeEngine): Promise<void> {
  const batch = noiseBatch(3, SMALL_CLASSES);
  const trained = await engine.compile(smallNetwork, {
    batchSize: 3,
    mode: "train",
    preprocessing: centred,
    observe: ["conv1", "pool1"],
    inputGradient: true,
  });
  const predicting = await engine.compile(smallNetwork, { batchSize: 3, mode: "predict", preprocessing: centred });
  await trained.write("parameters", initialise(smallNetwork, { deviation: 0.1, biases: {} }, 1));
  await trained.step(batch, step);
  await trained.step(batch, { ...step, learningRate: 0.001 });
  await trained.activation("pool1");
  await trained.inputGradient();
  await trained.profile(batch, step, 1);
  await predicting.write("parameters", await trained.read("parameters"));
  await predicting.predict(batch);
  await predicting.close();
  await trained.predict(batch);
  await trained.read("momentum");
  await trained.read("gradients");
  await trained.reserve?.(3);
  await trained.hold?.(batch.pictures);
  await trained.close();

  const large = await engine.compile(measured, { batchSize: 4, mode: "train", preprocessing: centred });
  await large.step(noiseBatch(4, SMALL_CLASSES), step);
  await large.close();

  await engine.estimateMemory(smallNetwork, { batchSize: 16, mode: "train" });
  await engine.differentiate(
    { ...convolution, name: "conv", groups: 1 },
    {
      x: normalTensor(1, 2, 3, 6, 6),
      w: normalTensor(2, 8, 3, 3, 3),
      b: normalTensor(3, 8),
      dy: normalTensor(4, 2, 8, 6, 6),
    },
  );
  await engine.crossEntropy(normalTensor(5, 4, 3), Int32Array.of(0, 1, 2, 0));
  await engine.multiply(new Float32Array(2 * 8), new Float32Array(16 * 8), 8);
  await engine.multiply(new Float32Array(16 * 8), new Float32Array(16 * 8), 8);
  await engine.measureMatrixRate(16);
  await engine.measureCopyRate(4096);
}
