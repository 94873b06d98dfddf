import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { architectureFor } from "#src/engine/cuda/compiler.js";
import { type Engine, type LayerTime, precisions, type StepResult } from "#src/engine/engine.js";
import type { OpenOptions } from "#src/engine/host/engines.js";
import { openEngine } from "#src/engine/host/open.js";
import { initialise } from "#src/network/initialise.js";
import { expectClose } from "../../support/compare.js";
import { useEmulator } from "../../support/emulator.js";
import { temporaryFolder } from "../../support/folders.js";
import { centred, noiseBatch, SMALL_CLASSES, smallNetwork } from "../../support/networks.js";
import { tolerances } from "../../support/tolerances.js";

/** What differs from device to device, and what is told when something is missing, on emulated devices. */

const missing = useEmulator();
const devices = describe.skipIf(missing !== undefined);
if (missing !== undefined) console.warn(`emulated CUDA devices are skipped: ${missing}`);

let engine: Engine | undefined;
const set: string[] = [];
const emulate = (name: string, value: string): void => {
  process.env[name] = value;
  set.push(name);
};
const open = async (options: OpenOptions = { precision: "float32" }): Promise<Engine> => {
  engine = await openEngine("cuda", options);
  return engine;
};
afterEach(async () => {
  await engine?.close();
  engine = undefined;
  for (const name of set.splice(0)) delete process.env[name];
});

const options = { batchSize: 3, mode: "train", preprocessing: centred } as const;
const stepOptions = { learningRate: 0.01, momentum: 0.9, weightDecay: 0.0005, seed: 7 };

/** Losses and parameters of a few steps, and the implementations that ran. */
async function train(own: Engine) {
  const program = await own.compile(smallNetwork, options);
  await program.write("parameters", initialise(smallNetwork, { deviation: 0.1, biases: {} }, 1));
  const losses: number[] = [];
  for (const seed of [1, 2])
    losses.push((await program.step(noiseBatch(3, SMALL_CLASSES, seed), { ...stepOptions, seed })).loss);
  const parameters = await program.read("parameters");
  const { rows } = await program.profile(noiseBatch(3, SMALL_CLASSES), stepOptions, 1);
  await program.close();
  return { losses, parameters, rows };
}

const implementations = (rows: readonly LayerTime[], kind: string): ReadonlySet<string> =>
  new Set(rows.flatMap((row) => (row.kind === kind && row.flops > 0 ? [row.implementation] : [])));

devices("convolutions and products", () => {
  it("are the same by cuDNN and as matrix products", async () => {
    const library = await train(await open());
    await engine?.close();
    emulate("EMULATOR_NO_CONVOLUTIONS", "1");
    const product = await train(await open());
    expect(implementations(library.rows, "convolution")).toEqual(new Set(["cudnn implicit-gemm"]));
    expect(implementations(product.rows, "convolution")).toEqual(new Set(["im2col+cublaslt"]));
    expectClose(Float64Array.from(product.losses), Float64Array.from(library.losses), 1e-6, "losses");
    expectClose(product.parameters, library.parameters, 1e-6, "parameters");
  });

  it("add biases themselves where the library can't", async () => {
    for (const precision of precisions) {
      const library = await train(await open({ precision }));
      await engine?.close();
      emulate("EMULATOR_NO_CONVOLUTIONS", "1"); // products with biases all
      emulate("EMULATOR_NO_BIAS", "1");
      const own = await train(await open({ precision }));
      await engine?.close();
      for (const name of set.splice(0)) delete process.env[name];
      expectClose(own.parameters, library.parameters, tolerances[precision].layer, `${precision} parameters`);
    }
  });

  it("are done as another program did them, where that is asked for", async () => {
    const own = await open();
    const program = await own.compile(smallNetwork, options);
    expect(program.algorithms).toMatchObject({
      "conv1 forward": "cudnn implicit-gemm",
      "fc4 backward-weights": "cublaslt",
    });
    const algorithms = {
      "conv1 forward": "im2col+cublaslt",
      "conv2 backward-data": "im2col+cublaslt",
      "fc3 backward-weights": "cublaslt+column-sum.cu",
      "conv2 forward": "by an abacus",
    };
    const other = await own.compile(smallNetwork, { ...options, algorithms });
    expect(other.algorithms).toEqual({ ...program.algorithms, ...algorithms, "conv2 forward": "cudnn implicit-gemm" });
  });

  it("have their products in TF32 where that is asked for", async () => {
    const exact = await train(await open());
    await engine?.close();
    const short = await train(await open({ precision: "tf32" }));
    expect(implementations(short.rows, "convolution")).toEqual(new Set(["cudnn implicit-gemm"]));
    const largest = (losses: readonly number[]) =>
      Math.max(...losses.map((loss, i) => Math.abs(loss / exact.losses[i] - 1)));
    expect(largest(short.losses)).toBeGreaterThan(1e-6);
  });

  it("sum up bias gradients themselves where the library can't", async () => {
    const library = await train(await open());
    await engine?.close();
    emulate("EMULATOR_NO_BIAS_GRADIENT", "1");
    const own = await train(await open());
    expect(implementations(library.rows, "fully-connected")).toEqual(new Set(["cublaslt"]));
    expect(implementations(own.rows, "fully-connected")).toEqual(new Set(["cublaslt", "cublaslt+column-sum.cu"]));
    expectClose(own.parameters, library.parameters, 1e-6, "parameters");
  });
});

devices("a step", () => {
  it("counts right answers among the first and the first five", async () => {
    const program = await (await open()).compile(smallNetwork, options);
    const { correct, correctTop5 } = await program.step(noiseBatch(3, SMALL_CLASSES), stepOptions);
    expect(correct).toBe(0); // all logits are 0: none is above the others
    expect(correctTop5).toBe(3); // of five classes
  });

  it("has the batch that it is given when it is timed", async () => {
    const own = await open();
    const compile = async () => {
      const program = await own.compile(smallNetwork, options);
      await program.write("parameters", initialise(smallNetwork, { deviation: 0.1, biases: {} }, 1));
      return program;
    };
    const batch = noiseBatch(3, SMALL_CLASSES);
    const [timed, plain] = [await compile(), await compile()];
    await timed.profile(batch, stepOptions, 2);
    for (let i = 0; i < 3 + 3; i++) await plain.step(batch, stepOptions); // one to warm up and two, both ways
    expect(await timed.read("parameters")).toEqual(await plain.read("parameters"));
  });

  it("has a time for every operation, which none is without", async () => {
    const { rows } = await train(await open());
    expect(rows.map(({ layer, direction }) => `${layer} ${direction}`)).toEqual([
      "input forward",
      "conv1 forward",
      "relu1+norm1+pool1 forward",
      "conv2 forward",
      "fc3 forward",
      "drop3 forward",
      "fc4 forward",
      "loss forward",
      "fc4 backward-weights",
      "fc4 backward-data",
      "drop3 backward-data",
      "relu3 backward-data",
      "fc3 backward-weights",
      "fc3 backward-data",
      "relu2 backward-data",
      "conv2 backward-weights",
      "conv2 backward-weights",
      "conv2 backward-data",
      "relu1+norm1+pool1 backward-data",
      "conv1 backward-weights",
      "conv1 backward-weights",
      "conv1 backward-weights",
      "update update",
    ]);
    for (const { milliseconds } of rows) expect(milliseconds).toBeGreaterThan(0);
  });
});

devices("a step asked for before the one before is answered", () => {
  /** Seven steps of different batches by memory used again as a loader does: results, then parameters. */
  async function run(own: Engine, ahead: boolean) {
    const program = await own.compile(smallNetwork, options);
    await program.write("parameters", initialise(smallNetwork, { deviation: 0.1, biases: {} }, 1));
    const memory = [0, 1, 2].map(() => noiseBatch(3, SMALL_CLASSES).pictures);
    const results: StepResult[] = [];
    let before: Promise<StepResult> | undefined;
    for (let i = 0; i < 7; i++) {
      const { pictures, ...batch } = noiseBatch(3, SMALL_CLASSES, i);
      const slot = memory[i % memory.length];
      slot.set(pictures);
      const step = program.step({ ...batch, pictures: slot }, { ...stepOptions, seed: i });
      if (!ahead) await step;
      if (before !== undefined) results.push(await before);
      before = step;
    }
    const predicted = program.predict(noiseBatch(2, SMALL_CLASSES, 9)); // the last step is still under way
    if (before !== undefined) results.push(await before);
    const outcome = { results, predicted: await predicted, parameters: await program.read("parameters") };
    await program.close();
    return outcome;
  }

  it.each(["as late as they can", "at once"])("gives the same bits, copies being done %s", async (when) => {
    if (when === "at once") emulate("EMULATOR_EAGER_COPIES", "1");
    emulate("EMULATOR_MILLISECONDS", "50");
    const own = await open();
    expect(await run(own, true)).toEqual(await run(own, false));
  });

  it("has its pictures brought while that one runs", async () => {
    const trace = join(temporaryFolder(), "trace");
    const program = await (await open()).compile(smallNetwork, options);
    emulate("EMULATOR_TRACE", trace);
    emulate("EMULATOR_MILLISECONDS", "500");
    const batches = [1, 2].map((seed) => noiseBatch(3, SMALL_CLASSES, seed));
    await Promise.all(batches.map((batch) => program.step(batch, stepOptions)));
    expect(readFileSync(trace, "utf8").trim().split("\n")).toEqual([
      "bring",
      "launch",
      "bring",
      "launch",
      "done",
      "done",
    ]);
  });

  it("is waited for by all that comes after it", async () => {
    emulate("EMULATOR_EAGER_COPIES", "1"); // the third's pictures would spoil the first's
    emulate("EMULATOR_MILLISECONDS", "500");
    const own = await open();
    const compile = async () => {
      const program = await own.compile(smallNetwork, options);
      await program.write("parameters", initialise(smallNetwork, { deviation: 0.1, biases: {} }, 1));
      return program;
    };
    const [program, awaited] = [await compile(), await compile()];
    const batches = [1, 2, 3].map((seed) => noiseBatch(3, SMALL_CLASSES, seed));
    const steps = batches.map((batch) => program.step(batch, stepOptions));
    const [parameters] = await Promise.all([program.read("parameters"), program.close(), ...steps]);
    for (const batch of batches) await awaited.step(batch, stepOptions);
    expect(parameters).toEqual(await awaited.read("parameters"));
  });
});

devices("a device that won't do", () => {
  const refused = (call: Promise<unknown>, message: RegExp, code = "engine") =>
    expect(call).rejects.toMatchObject({ code, message: expect.stringMatching(message) });

  it("is none at all", async () => {
    emulate("EMULATOR_NO_DEVICE", "1");
    await refused(open(), /the driver finds no device; see CUDA_VISIBLE_DEVICES/);
  });

  it("is too old", async () => {
    emulate("EMULATOR_MAJOR", "7");
    await refused(
      open(),
      /Emulator: compute capability 7\.0 is too old; it takes 8\.0 .*; compute on the CPU \(engine: "onednn"\)/,
    );
  });

  it("is newer than the compiler", async () => {
    emulate("EMULATOR_MAJOR", "10");
    await refused(
      open(),
      /Emulator: NVRTC 12\.0 compiles for up to sm_90, not for sm_100; install a newer CUDA toolkit/,
    );
  });

  it("has too little memory: the largest batch that fits is named, and does fit", async () => {
    emulate("EMULATOR_BYTES", String(400 << 20));
    const own = await open();
    const compile = (batchSize: number) => own.compile(smallNetwork, { ...options, batchSize });
    const message = await compile(1000).then(String, (error: Error) => error.message);
    const match =
      /test: batches of 1000 take .* GB \(train\); Emulator has 0.4 GB free; the largest batch that fits is (\d+)$/.exec(
        message,
      );
    expect(match, message).not.toBeNull();
    const most = Number(match?.[1]);
    await refused(compile(most + 1), /the largest batch that fits is/, "memory");
    await (await compile(most)).close();
  });
});

it("kernels are compiled for the device's own architecture or one that it runs too", () => {
  const compiler = { version: "13.0", architectures: [80, 86, 89, 90, 100, 120] };
  const chosen = (major: number, minor: number) => architectureFor(compiler, { name: "a device", major, minor });
  expect([chosen(8, 0), chosen(8, 7), chosen(9, 0), chosen(10, 3), chosen(12, 1)]).toEqual(
    [80, 86, 90, 100, 120].map((each) => `sm_${each}`),
  );
  expect(() => chosen(11, 0)).toThrow(/compiles for up to sm_120, not for sm_110/);
});

describe("without a driver", () => {
  it("says what is missing, where it was looked for and what to install", async () => {
    const before = process.env.ALEXNET_CUDA_PATH;
    emulate("ALEXNET_CUDA_PATH", "/nowhere");
    try {
      const outcome = await openEngine("cuda").then(
        async (real) => real.close(), // this machine has a device
        (error: Error) => error.message,
      );
      if (typeof outcome === "string")
        expect(outcome).toMatch(
          /^NVIDIA's driver could not be loaded; install .*ALEXNET_CUDA_PATH=\/nowhere and the system's loader.*libcuda\.so\.1/s,
        );
    } finally {
      set.splice(0);
      if (before === undefined) delete process.env.ALEXNET_CUDA_PATH;
      else process.env.ALEXNET_CUDA_PATH = before;
    }
  });
});
