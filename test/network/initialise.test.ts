import { describe, expect, it } from "vitest";
import { paper } from "#src/network/architectures/paper.js";
import { type Initialisation, initialise } from "#src/network/initialise.js";
import { parameterTable, parameterView } from "#src/network/parameters.js";
import { scaleWidth } from "#src/network/transform.js";

const network = scaleWidth(paper, 0.05);
const table = parameterTable(network);
const ones = { conv2: 1, conv4: 1, conv5: 1, fc6: 1, fc7: 1 };
const asInPaper: Initialisation = { deviation: 0.01, biases: ones };

/** Within five deviations of the estimates themselves. */
function expectNormal(values: Float32Array, deviation: number): void {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + value * value, 0) / values.length;
  expect(Math.abs(mean)).toBeLessThan((5 * deviation) / Math.sqrt(values.length));
  expect(Math.abs(variance / deviation ** 2 - 1)).toBeLessThan(5 * Math.sqrt(2 / values.length));
}

describe("fresh parameters", () => {
  it("are the paper's: weights of deviation 0.01, biases 1 or 0", () => {
    const values = initialise(network, asInPaper, 1);
    for (const parameter of table) {
      const own = parameterView(values, parameter);
      if (parameter.role === "weight") expectNormal(own, 0.01);
      else expect(new Set(own)).toEqual(new Set([parameter.layer in ones ? 1 : 0]));
    }
  });

  it("are He's: deviation sqrt(2 / fan-in)", () => {
    const values = initialise(network, { deviation: "he", biases: {} }, 1);
    for (const parameter of table.filter(({ role }) => role === "weight"))
      expectNormal(parameterView(values, parameter), Math.sqrt(2 / parameter.fanIn));
  });

  it("take a layer's own deviation where it has one", () => {
    const values = initialise(network, { ...asInPaper, deviations: { conv3: 0.03 } }, 1);
    for (const parameter of table.filter(({ role }) => role === "weight"))
      expectNormal(parameterView(values, parameter), parameter.layer === "conv3" ? 0.03 : 0.01);
  });

  it("are multiplied by the gain, those of the last layer by its own", () => {
    const values = initialise(network, { deviation: "he", gain: 0.8, headGain: 0.1, biases: {} }, 1);
    for (const parameter of table.filter(({ role }) => role === "weight"))
      expectNormal(
        parameterView(values, parameter),
        (parameter.layer === "fc8" ? 0.1 : 0.8) * Math.sqrt(2 / parameter.fanIn),
      );
  });

  it("are a function of the seed, and differ between tensors", () => {
    const bytes = (seed: number) => Buffer.from(initialise(network, asInPaper, seed).buffer);
    expect(bytes(5).equals(bytes(5))).toBe(true);
    expect(bytes(5).equals(bytes(6))).toBe(false);
    const values = initialise(network, asInPaper, 5);
    const starts = table.filter(({ role }) => role === "weight").map(({ offset }) => values[offset]);
    expect(new Set(starts).size).toBe(starts.length);
  });
});
