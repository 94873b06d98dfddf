import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { ComputeEngine } from "#src/engine/compute.js";
import { openWebGpu } from "#src/engine/webgpu/engine.js";
import { type GpuOptions, openGpu } from "#src/engine/webgpu/gpu.js";
import { compileProgram } from "#src/engine/webgpu/program.js";
import { initialise } from "#src/network/initialise.js";
import type { Batch } from "#src/network/picture.js";
import { bits } from "#src/random.js";
import { expectClose } from "../../support/compare.js";
import { networkOf, openIfPossible, plainView } from "../../support/networks.js";

/** What the engine does where an adapter has less than is needed at once, and where a device fails. */

let unavailable: string | undefined;
beforeAll(async () => {
  const opened = await openIfPossible("webgpu");
  if (typeof opened === "string") console.warn(`limits of WebGPU are skipped: ${opened}`);
  if (typeof opened === "string") unavailable = opened;
  else await opened.close();
});
beforeEach((context) => context.skip(unavailable !== undefined, unavailable));

let engine: ComputeEngine | undefined;
const open = async (limits: GpuOptions["limits"]): Promise<ComputeEngine> => {
  engine = await openWebGpu({ limits });
  return engine;
};
afterEach(() => engine?.close());

const SIDE = 16;
const SAMPLES = 6;
const network = networkOf(
  SIDE,
  { kind: "convolution", name: "conv1", filters: 4, size: 3, stride: 1, padding: 1, groups: 1 },
  { kind: "relu", name: "relu1" },
  { kind: "local-response-norm", name: "norm1", k: 2, n: 5, alpha: 1e-2, beta: 0.75 },
  { kind: "max-pool", name: "pool1", size: 2, stride: 2 },
  { kind: "convolution", name: "conv2", filters: 4, size: 3, stride: 1, padding: 1, groups: 2 },
  { kind: "relu", name: "relu2" },
  { kind: "fully-connected", name: "fc3", outputs: 96 },
  { kind: "relu", name: "relu3" },
  { kind: "dropout", name: "drop3", rate: 0.5 },
  { kind: "fully-connected", name: "fc4", outputs: 5 },
);
const options = {
  batchSize: SAMPLES,
  mode: "train",
  preprocessing: { mean: new Float32Array(SIDE * SIDE * 3).fill(128), scale: [1 / 64, 1 / 64, 1 / 64] },
  inputGradient: true,
} as const;
const batch: Batch = {
  pictures: new Uint8Array(SAMPLES * SIDE * SIDE * 3).map((_, i) => bits(i)),
  views: Array.from({ length: SAMPLES }, (_, picture) => ({ ...plainView, picture })),
  labels: Int32Array.from({ length: SAMPLES }, (_, i) => i % 5),
};

async function learnt(limits: GpuOptions["limits"]) {
  const own = await open(limits);
  const program = await own.compile(network, options);
  await program.write("parameters", initialise(network, { deviation: "he", biases: {} }, 3));
  const { loss } = await program.step(batch, { learningRate: 0.01, momentum: 0.9, weightDecay: 0.0005, seed: 4 });
  const all = {
    loss: Float64Array.of(loss),
    gradients: await program.read("gradients"),
    parameters: await program.read("parameters"),
    inputGradient: await program.inputGradient(),
    probabilities: await program.predict(batch),
  };
  await own.close();
  engine = undefined;
  return all;
}

describe("what is more than an adapter takes at once", () => {
  it.each([
    ["bound: weights go by rows, activations by samples", { bindingBytes: 20_000 }],
    ["worked on before a watchdog bites", { dispatchFlops: 200_000 }],
    ["put into one buffer", { bufferBytes: 120_000 }],
  ])("can be %s", async (_what, limits) => {
    const [whole, parts] = [await learnt({}), await learnt(limits)];
    for (const key of ["loss", "gradients", "parameters", "inputGradient", "probabilities"] as const)
      expectClose(parts[key], whole[key], 1e-5, key);
  });

  it("is refused, with a way out, where one sample alone is too much", async () => {
    const own = await open({ bindingBytes: 3000 });
    await expect((async () => own.compile(network, options))()).rejects.toMatchObject({
      code: "memory",
      message: expect.stringMatching(
        /^input: 1 times 768 values are more than the 3000 bytes that .* binds at once; give a smaller/,
      ),
    });
  });

  it("is refused, with a way out, where a block is larger than a buffer", async () => {
    const own = await open({ bufferBytes: 30_000 });
    await expect((async () => own.compile(network, options))()).rejects.toMatchObject({
      code: "memory",
      message: expect.stringMatching(/bytes in one piece are more than .* has in a buffer \(30000\); give a smaller/),
    });
  });
});

describe("a device that fails", () => {
  it("is named, with what it was asked for", async () => {
    const gpu = await openGpu({});
    const program = await compileProgram(gpu, network, options);
    gpu.device.destroy();
    await expect((async () => program.predict(batch))()).rejects.toMatchObject({
      name: "AlexnetError",
      code: "engine",
      message: expect.stringMatching(/^webgpu: /),
    });
    gpu.close();
  });

  it("says which layer's shader it refuses, and why", async () => {
    const gpu = await openGpu({});
    await expect(gpu.pipeline("@compute @workgroup_size(1) fn main() { nothing(); }", "conv9 forward")).rejects.toThrow(
      /^webgpu: conv9 forward: .*nothing/,
    );
    gpu.close();
  });

  it("on the processor is refused where hardware is asked for", async () => {
    const gpu = await openGpu({});
    const { software, name } = gpu.facts;
    gpu.close();
    if (!software) return expect(name).not.toBe("");
    await expect(openGpu({ hardwareOnly: true })).rejects.toMatchObject({
      code: "engine",
      message: `webgpu: the only adapter here computes on the processor (${name})`,
    });
  });
});
