import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Convolution, Layer, LocalResponseNorm, Network } from "#src/network/network.js";
import { inferShapes, outputShape, volume } from "#src/network/shapes.js";

const conv: Convolution = { kind: "convolution", name: "conv", filters: 4, size: 3, stride: 1, padding: 0, groups: 1 };
const norm: LocalResponseNorm = { kind: "local-response-norm", name: "norm", k: 2, n: 5, alpha: 1e-4, beta: 0.75 };
const last: Layer = { kind: "fully-connected", name: "fc", outputs: 2 };
const network = (...layers: Layer[]): Network => ({ name: "net", input: { channels: 3, size: 8 }, layers });
const input = { channels: 6, height: 8, width: 10 };

describe("a layer that can't follow says which and why:", () => {
  const cases: [string, Layer, string][] = [
    ["channels", { ...conv, groups: 4, filters: 8 }, "conv: 6 channels are not divisible by groups=4"],
    ["filters", { ...conv, groups: 3 }, "conv: 4 filters are not divisible by groups=3"],
    ["no filters", { ...conv, filters: 0 }, "conv: filters=0 must be a whole number from 1"],
    ["stride", { ...conv, stride: 1.5 }, "conv: stride=1.5 must be a whole number from 1"],
    ["negative padding", { ...conv, padding: -1 }, "conv: padding=-1 must be a whole number from 0"],
    ["much padding", { ...conv, padding: 3 }, "conv: padding 3 must be smaller than the filter size 3"],
    ["size", { ...conv, size: 9 }, "conv: a 9x9 window with padding 0 does not fit into 8x10"],
    ["NaN", { ...conv, size: Number.NaN }, "conv: size=NaN must be a whole number from 1"],
    ["pool", { kind: "max-pool", name: "pool", size: 11, stride: 2 }, "pool: a 11x11 window"],
    ["pool stride", { kind: "max-pool", name: "pool", size: 2, stride: 0 }, "pool: stride=0"],
    ["even window", { ...norm, n: 4 }, "norm: n=4 must be odd"],
    ["k", { ...norm, k: 0 }, "norm: k=0 must be above 0"],
    ["alpha", { ...norm, alpha: -1 }, "norm: alpha=-1 must be 0 or more"],
    ["beta", { ...norm, beta: Number.NaN }, "norm: beta=NaN must be a number"],
    ["norm groups", { ...norm, groups: 4 }, "norm: 6 channels are not divisible by groups=4"],
    ["groups within maps", { ...norm, groups: 2, region: "within-map" }, "norm: windows within a map have no use"],
    ["rate", { kind: "dropout", name: "drop", rate: 1 }, "drop: rate=1 must be at least 0 and below 1"],
    ["outputs", { ...last, outputs: 0 }, "fc: outputs=0 must be a whole number from 1"],
  ];
  it.each(cases)("%s", (_name, layer, message) => {
    expect(() => outputShape(layer, input)).toThrow(expect.objectContaining({ code: "invalid-network" }));
    expect(() => outputShape(layer, input)).toThrow(message);
    expect(() => outputShape(layer, input)).toThrow(new RegExp(`^${layer.name}: `));
  });
});

describe("a network that breaks a rule says which:", () => {
  const cases: [string, Network, string][] = [
    ["no layers", network(), "net: has no layers"],
    ["no logits", network(conv), "net: the last layer must be fully-connected"],
    ["two of one name", network(conv, conv, last), "conv: two layers have this name"],
    ["a layer deep inside", network({ ...conv, size: 7 }, { ...conv, name: "conv2" }, last), "conv2: a 3x3 window"],
    ["no input", { ...network(last), input: { channels: 3, size: 0 } }, "net: input size=0 must be a whole number"],
  ];
  it.each(cases)("%s", (_name, wrong, message) => {
    expect(() => inferShapes(wrong)).toThrow(message);
    expect(() => inferShapes(wrong)).toThrow(expect.objectContaining({ code: "invalid-network" }));
  });
});

describe("shapes", () => {
  it("hold as many windows as fit, and no more", () => {
    const sizes = fc.record({
      length: fc.integer({ min: 1, max: 40 }),
      size: fc.integer({ min: 1, max: 9 }),
      stride: fc.integer({ min: 1, max: 5 }),
      padding: fc.nat(8),
    });
    fc.assert(
      fc.property(sizes, ({ length, size, stride, padding }) => {
        fc.pre(padding < size && size <= length + 2 * padding);
        const shape = outputShape({ ...conv, size, stride, padding }, { channels: 1, height: length, width: length });
        const end = (count: number) => (count - 1) * stride + size;
        expect(end(shape.height)).toBeLessThanOrEqual(length + 2 * padding);
        expect(end(shape.height + 1)).toBeGreaterThan(length + 2 * padding);
        expect(shape).toEqual({ channels: 4, height: shape.height, width: shape.height });
      }),
      { seed: 1 },
    );
  });

  it("pass through layers that change values alone", () => {
    for (const layer of [norm, { kind: "relu", name: "relu" }, { kind: "dropout", name: "drop", rate: 0.5 }] as const)
      expect(outputShape(layer, input)).toEqual(input);
  });

  it("count a picture's values", () => {
    expect(volume(input)).toBe(480);
    expect(volume(outputShape(last, input))).toBe(2);
  });
});
