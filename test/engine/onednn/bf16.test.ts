import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Engine, type LayerInputs, pictureShape, type Tensor } from "#src/engine/engine.js";
import { openEngine } from "#src/engine/host/open.js";
import type { Library } from "#src/engine/onednn/native/library.js";
import { openLibrary } from "#src/engine/onednn/native/library.js";
import { differentiate } from "#src/engine/onednn/one-layer.js";
import { bfloat16Arithmetic } from "#src/engine/onednn/self-test.js";
import { original2012 } from "#src/network/architectures/original-2012.js";
import { paper } from "#src/network/architectures/paper.js";
import { initialise } from "#src/network/initialise.js";
import type { Layer, LocalResponseNorm } from "#src/network/network.js";
import { weightShape } from "#src/network/parameters.js";
import { outputShape } from "#src/network/shapes.js";
import { scaleWidth, withClasses } from "#src/network/transform.js";
import { normal } from "#src/random.js";
import { expectClose, expectTensorClose } from "../../support/compare.js";
import { centred, noiseBatch, openIfPossible } from "../../support/networks.js";

describe("bfloat16 in oneDNN", () => {
  let engine: Engine;
  let unavailable: string | undefined;

  beforeAll(async () => {
    const opened = await openIfPossible("onednn", { precision: "bf16" });
    if (typeof opened === "string") unavailable = opened;
    else engine = opened;
  });
  beforeEach((context) => context.skip(unavailable !== undefined, unavailable));
  afterAll(() => engine?.close());

  it("names itself in its description, which tells runs and features apart", () => {
    expect(engine.description).toMatchObject({ precision: "bf16", instructionSet: expect.stringMatching(/, bf16$/) });
  });

  it("adds the gradients of overlapping windows in float32: 256, 1, 1 and 1 are more than 256", async () => {
    const [channels, middle] = [32, 12];
    const x = { shape: [1, channels, 5, 5], data: new Float64Array(channels * 25) };
    for (let channel = 0; channel < channels; channel++) x.data[25 * channel + middle] = 1;
    const dy = {
      shape: [1, channels, 2, 2],
      data: Float64Array.from({ length: 4 * channels }, (_, i) => (i % 4 ? 1 : 256)),
    };
    const { dx } = await engine.differentiate({ kind: "max-pool", name: "pool", size: 3, stride: 2 }, { x, dy });
    for (let channel = 0; channel < channels; channel++) expect([258, 260]).toContain(dx.data[25 * channel + middle]);
  });

  const onePoint: LocalResponseNorm = { kind: "local-response-norm", name: "norm1", k: 2, n: 1, alpha: 1, beta: 0.75 };
  it.each([
    withClasses(paper, 10),
    withClasses(scaleWidth(original2012, 0.5), 10),
    {
      ...withClasses(scaleWidth(paper, 0.5), 10),
      name: "paper with windows of one",
      layers: withClasses(scaleWidth(paper, 0.5), 10).layers.map((layer) =>
        layer.name === "norm1" ? onePoint : layer,
      ),
    },
  ])("computes no layer of $name by the library's reference code", async (network) => {
    const program = await engine.compile(network, { batchSize: 2, mode: "train", preprocessing: centred });
    await program.write("parameters", initialise(network, { deviation: 0.01, biases: {} }, 1));
    const options = { learningRate: 0.001, momentum: 0.9, weightDecay: 0.0005, seed: 1 };
    const { rows } = await program.profile(noiseBatch(2, 10), options, 1);
    expect(rows.length).toBeGreaterThan(40);
    for (const { layer, direction, implementation } of rows)
      expect(
        implementation.split(", ").filter((name) => /(^|_)ref/.test(name)),
        `${layer} ${direction}`,
      ).toEqual([]);
    await program.close();
  });

  it("holds weights in half the bytes to predict, and masters besides to train", async () => {
    const network = withClasses(scaleWidth(paper, 0.5), 10);
    const exact = await openEngine("onednn", { precision: "float32" });
    const bytes = async (on: Engine, mode: "train" | "predict"): Promise<number> =>
      on.estimateMemory(network, { batchSize: 1, mode });
    const weights = 4 * 15e6;
    expect(await bytes(engine, "predict")).toBeLessThan((await bytes(exact, "predict")) - 0.4 * weights);
    expect(await bytes(engine, "train")).toBeLessThan((await bytes(exact, "train")) + 0.6 * weights);
    await exact.close();
  });

  it("updates that are far below a weight's bfloat16 step add up, as masters are float32", async () => {
    const network = withClasses(scaleWidth(paper, 1 / 16), 4);
    const program = await engine.compile(network, { batchSize: 2, mode: "train", preprocessing: centred });
    const start = initialise(network, { deviation: "he", biases: {} }, 1);
    await program.write("parameters", start);
    expect(await program.read("parameters")).toEqual(start);
    const batch = noiseBatch(2, 4);
    await program.step(batch, { learningRate: 1e-7, momentum: 0, weightDecay: 0, seed: 1 });
    const gradients = await program.read("gradients");
    const stepped = await program.read("parameters");
    const largest = gradients.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    expect(largest).toBeGreaterThan(0);
    const expected = Float64Array.from(start, (value, i) => value - 1e-7 * (gradients[i] ?? Number.NaN));
    expectClose(stepped, expected, 1e-7, "parameters");
    expect(stepped).not.toEqual(start);
    await program.close();
  });
});

describe("the test of bfloat16 at the start", () => {
  let library: Library;
  let unavailable: string | undefined;

  beforeAll(async () => {
    const opened = await openIfPossible("onednn", { precision: "bf16" });
    if (typeof opened === "string") unavailable = opened;
    else await opened.close();
    if (unavailable === undefined) library = openLibrary(1);
  });
  beforeEach((context) => context.skip(unavailable !== undefined, unavailable));
  afterAll(() => library?.close());

  it("refuses a library that computes wrongly, by its version and what is wrong", () => {
    const wrong: typeof differentiate = (lib, arithmetic, layer, inputs) => {
      const outputs = differentiate(lib, arithmetic, layer, inputs);
      if (layer.kind !== "fully-connected") return outputs;
      return {
        ...outputs,
        dx: { ...outputs.dx, data: outputs.dx.data.map((value, i) => (i === 0 ? Number.NaN : value)) },
      };
    };
    expect(() => bfloat16Arithmetic(library, wrong)).toThrow(
      `oneDNN ${library.version} computes wrongly in bf16 on this processor (${library.instructionSet}): fully-connected (dx) is off by NaN`,
    );
  });

  it("takes pooling's gradient in float32 only where the library adds in bfloat16", () => {
    const adding =
      (exactly: boolean): typeof differentiate =>
      (lib, arithmetic, layer, inputs) => {
        const outputs = differentiate(lib, { ...arithmetic, poolsExactly: false }, layer, inputs);
        if (!arithmetic.poolsExactly || exactly) return outputs;
        return { ...outputs, dx: { ...outputs.dx, data: outputs.dx.data.map((sum) => Math.min(sum, 256)) } };
      };
    expect(bfloat16Arithmetic(library, adding(true)).poolsExactly).toBe(true);
    expect(bfloat16Arithmetic(library, adding(false)).poolsExactly).toBe(false);
  });
});

describe("one layer in bfloat16 beside float64, of numbers that bfloat16 holds", () => {
  /** Sums are float32 and are rounded once, where they become activations: half of the last of 8 bits at the most. */
  const ROUNDED_ONCE = 2 ** -9;
  /** Gradients of parameters stay float32. */
  const NEVER_ROUNDED = 1e-5;

  const layers: readonly (readonly [Layer, readonly number[]])[] = [
    [{ kind: "convolution", name: "first", filters: 32, size: 11, stride: 4, padding: 0, groups: 1 }, [2, 3, 67, 67]],
    [{ kind: "convolution", name: "grouped", filters: 64, size: 5, stride: 1, padding: 2, groups: 2 }, [2, 32, 13, 13]],
    [{ kind: "convolution", name: "narrow", filters: 24, size: 3, stride: 1, padding: 1, groups: 2 }, [3, 12, 9, 9]],
    [{ kind: "convolution", name: "whole", filters: 96, size: 3, stride: 1, padding: 1, groups: 1 }, [2, 64, 13, 13]],
    [{ kind: "fully-connected", name: "long sums", outputs: 64 }, [8, 2304]],
    [{ kind: "fully-connected", name: "classes", outputs: 10 }, [8, 256]],
  ];
  let engine: Engine;
  let unavailable: string | undefined;

  beforeAll(async () => {
    const opened = await openIfPossible("onednn", { precision: "bf16" });
    if (typeof opened === "string") unavailable = opened;
    else engine = opened;
  });
  beforeEach((context) => context.skip(unavailable !== undefined, unavailable));
  afterAll(() => engine?.close());

  it.each(layers.map(([layer, shape]) => ({ name: layer.name, layer, shape })))("$name", async ({ layer, shape }) => {
    const inputs = exactInputs(layer, shape);
    const reference = await openEngine("reference");
    const [actual, exact] = [await engine.differentiate(layer, inputs), await reference.differentiate(layer, inputs)];
    await reference.close();
    for (const what of ["y", "dx"] as const) expectClose(actual[what].data, exact[what].data, ROUNDED_ONCE, what);
    for (const what of ["dw", "db"] as const)
      expectTensorClose(actual[what], exact[what] as Tensor, NEVER_ROUNDED, what);
  });

  it("gives NaN on, rather than a number", async () => {
    const [layer, shape] = layers[4] as (typeof layers)[number];
    const inputs = exactInputs(layer, shape);
    inputs.x.data[5] = Number.NaN;
    const { y, dw } = await engine.differentiate(layer, inputs);
    expect(y.data.slice(0, 64).every(Number.isNaN)).toBe(true);
    expect(y.data.slice(64).some(Number.isNaN)).toBe(false);
    expect(dw?.data[5]).toBeNaN();
  });

  function exactInputs(layer: Layer, shape: readonly number[]): LayerInputs {
    const draw = (purpose: number, dims: readonly number[]): Tensor => ({
      shape: dims,
      data: Float64Array.from(
        { length: dims.reduce((a, b) => a * b, 1) },
        (_, i) => Math.round(16 * normal(purpose, i)) / 16,
      ),
    });
    const x = draw(1, shape);
    const input = pictureShape(x);
    const output = outputShape(layer, input);
    const weights = weightShape(layer, input);
    if (weights === undefined) throw new Error(`${layer.name} has no weights`);
    const { channels, height, width } = output;
    const dy = draw(2, layer.kind === "convolution" ? [shape[0], channels, height, width] : [shape[0], channels]);
    return { x, dy, w: draw(3, weights), b: draw(4, [weights[0]]) };
  }
});
