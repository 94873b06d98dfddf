import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Engine } from "#src/engine/engine.js";
import { openEngine } from "#src/engine/host/open.js";
import { compareLayers, isClose } from "#src/engine/host/self-check.js";
import { paper } from "#src/network/architectures/paper.js";
import { initialise } from "#src/network/initialise.js";
import { parameterCount } from "#src/network/parameters.js";
import { centred, noiseBatch, openIfPossible, SMALL_CLASSES, smallNetwork } from "../../support/networks.js";

/** What takes minutes on an adapter on the processor. */

const opened = await openIfPossible("webgpu");
const unavailable = typeof opened === "string" ? opened : undefined;
if (unavailable !== undefined) console.warn(`full-size layers on WebGPU are skipped: ${unavailable}`);
if (typeof opened !== "string") await opened.close();

describe.skipIf(unavailable !== undefined)("WebGPU", { timeout: 1_200_000 }, () => {
  let engine: Engine;
  let reference: Engine;
  beforeAll(async () => {
    [engine, reference] = [await openEngine("webgpu"), await openEngine("reference")];
  });
  afterAll(() => Promise.all([engine?.close(), reference?.close()]));

  it("gives what the reference engine gives in every layer of the paper's network", async () => {
    const far: string[] = [];
    for await (const comparison of compareLayers([{ engine, precision: "float32" }], reference, paper))
      if (!isClose(comparison)) far.push(`${comparison.layer} ${comparison.what}: ${comparison.error}`);
    expect(far).toEqual([]);
  });

  it("takes no more memory after a thousand steps than after the first hundred", async () => {
    const program = await engine.compile(smallNetwork, { batchSize: 3, mode: "train", preprocessing: centred });
    await program.write("parameters", initialise(smallNetwork, { deviation: 0.01, biases: {} }, 1));
    const batch = noiseBatch(3, SMALL_CLASSES);
    const options = { learningRate: 1e-4, momentum: 0.9, weightDecay: 0.0005 };
    const steps = async (count: number): Promise<number> => {
      for (let seed = 0; seed < count; seed++) await program.step(batch, { ...options, seed });
      return process.memoryUsage.rss();
    };
    const before = await steps(200);
    expect((await steps(1000)) - before).toBeLessThan(64 << 20);
    await program.close();
  });

  it("gives back what fifty programs and devices took", async () => {
    const cycle = async (): Promise<number> => {
      const own = await openEngine("webgpu");
      const program = await own.compile(smallNetwork, { batchSize: 3, mode: "train", preprocessing: centred });
      await program.write("parameters", new Float32Array(parameterCount(smallNetwork)));
      await program.predict(noiseBatch(3, SMALL_CLASSES));
      await program.close();
      await own.close();
      return process.memoryUsage.rss();
    };
    let before = 0;
    for (let i = 0; i < 15; i++) before = await cycle();
    let after = 0;
    for (let i = 0; i < 50; i++) after = await cycle();
    expect(after - before).toBeLessThan(200 << 20);
  });
});
