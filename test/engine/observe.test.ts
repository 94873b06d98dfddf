import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Engine, Program } from "#src/engine/engine.js";
import { engineNames } from "#src/engine/host/engines.js";
import { openEngine } from "#src/engine/host/open.js";
import { initialise } from "#src/network/initialise.js";
import { expectClose } from "../support/compare.js";
import { centred, noiseBatch, openIfPossible, SMALL_CLASSES, smallNetwork } from "../support/networks.js";

const observe = smallNetwork.layers.map(({ name }) => name);
const parameters = initialise(smallNetwork, { deviation: "he", biases: { conv1: 0.5 } }, 3);
const step = { learningRate: 0, momentum: 0, weightDecay: 0, seed: 7 };

async function compiled(engine: Engine): Promise<Program> {
  const program = await engine.compile(smallNetwork, {
    batchSize: 4,
    mode: "train",
    preprocessing: { ...centred, scale: [1 / 64, 1 / 64, 1 / 64] },
    observe,
    inputGradient: true,
  });
  await program.write("parameters", parameters);
  return program;
}

for (const name of engineNames.filter((candidate) => candidate !== "reference"))
  describe(`what ${name} shows of its inside`, () => {
    let engine: Engine | string;
    let reference: Engine;
    beforeAll(async () => {
      engine = await openIfPossible(name);
      reference = await openEngine("reference");
    });
    beforeEach((context) => {
      if (typeof engine === "string") context.skip(engine);
    });
    afterAll(async () => {
      if (typeof engine !== "string") await engine.close();
      await reference.close();
    });

    it("every layer's output and the input's gradient, of a partial batch, before anything is fused", async () => {
      if (typeof engine === "string") return;
      const [actual, expected] = await Promise.all([compiled(engine), compiled(reference)]);
      const batch = noiseBatch(3, SMALL_CLASSES);
      for (const program of [actual, expected]) await program.step(batch, step);
      for (const layer of observe)
        expectClose(await actual.activation(layer), await expected.activation(layer), 1e-5, layer);
      expectClose(await actual.inputGradient(), await expected.inputGradient(), 1e-5, "input gradient");
      expectClose(await actual.scoreGradient(batch), await expected.scoreGradient(batch), 1e-5, "score gradient");
      const first = await actual.activation("conv1");
      expect(first.some((value) => value < 0)).toBe(true);
    });

    it("refuses what was not asked for when compiling", async () => {
      if (typeof engine === "string") return;
      const options = { batchSize: 1, mode: "train", preprocessing: centred } as const;
      const program = await engine.compile(smallNetwork, { ...options, observe: ["fc3"] });
      await expect(program.activation("conv1")).rejects.toThrow(/conv1: not observed/);
      await expect(program.inputGradient()).rejects.toThrow(/input gradient: not taken/);
      await expect(engine.compile(smallNetwork, { ...options, observe: ["conv9"] })).rejects.toThrow(/no layer conv9/);
    });
  });
