import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Engine, Program } from "#src/engine/engine.js";
import { openEngine } from "#src/engine/host/open.js";
import { variants } from "#src/network/networks.js";
import { parameterTable, parameterView } from "#src/network/parameters.js";
import { scaleWidth, withClasses } from "#src/network/transform.js";
import { noisePicture, randomModel } from "../support/models.js";

const onednn = await openEngine("onednn").catch((error: Error) => error.message);
const missing = typeof onednn === "string" ? onednn : undefined;
let reference: Engine;
beforeAll(async () => {
  reference = await openEngine("reference");
});
afterAll(async () => {
  await reference.close();
  if (typeof onednn !== "string") await onednn.close();
});

const step = { learningRate: 0.01, momentum: 0.9, weightDecay: 0.0005, seed: 5 };

function relativeError(actual: Float32Array, expected: Float32Array): number {
  const norm = (values: Float32Array) => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
  return norm(actual.map((value, i) => value - expected[i])) / norm(expected);
}

describe.skipIf(missing !== undefined)(`on oneDNN${missing === undefined ? "" : ` (skipped: ${missing})`}`, () => {
  it.each(variants.map(({ network }) => network.name))("%s learns as on the reference engine", async (name) => {
    if (typeof onednn === "string") return;
    const variant = variants.find(({ network }) => network.name === name)?.network;
    if (variant === undefined) return;
    const network = withClasses(scaleWidth(variant, 0.08), 6);
    const { parameters, preprocessing } = randomModel(network, 4);
    const run = async (engine: Engine): Promise<{ program: Program; loss: number; gradients: Float32Array }> => {
      const program = await engine.compile(network, { batchSize: 2, mode: "train", preprocessing });
      await program.write("parameters", parameters);
      const views = [0, 1].map((picture) => ({
        picture,
        top: 3 * picture,
        left: 20,
        mirrored: picture === 1,
        colourShift: [1, -2, 3] as const,
      }));
      const pictures = Uint8Array.from([...noisePicture(1), ...noisePicture(2)]);
      const { loss } = await program.step({ pictures, views, labels: Int32Array.of(2, 4) }, step);
      return { program, loss, gradients: await program.read("gradients") };
    };
    const expected = await run(reference);
    const actual = await run(onednn);
    expect(Math.abs(actual.loss - expected.loss)).toBeLessThan(1e-4);
    for (const parameter of parameterTable(network)) {
      const error = relativeError(
        parameterView(actual.gradients, parameter),
        parameterView(expected.gradients, parameter),
      );
      expect(error, parameter.name).toBeLessThan(1e-4);
    }
    await Promise.all([expected.program.close(), actual.program.close()]);
  });
});
