import { describe, expect, it } from "vitest";
import { expectClose, expectTensorClose, relativeError } from "./compare.js";

const expected = Float64Array.of(3, 4, 0);

describe("comparing with expected values", () => {
  it("measures the difference against the whole", () => {
    expect(relativeError(Float64Array.of(3, 4, 0.5), expected)).toBeCloseTo(0.1, 12);
    expect(relativeError(Float64Array.of(1e-3), Float64Array.of(0))).toBe(1e-3);
  });

  it("fails over the tolerance and names the worst value", () => {
    expect(() => expectClose(Float64Array.of(3, 4.1, 0), expected, 1e-3, "y")).toThrow(/^y: .* worst at 1: 4\.1/);
    expectClose(Float64Array.of(3, 4.001, 0), expected, 1e-3, "y");
  });

  it("fails on NaN and infinity on either side", () => {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => expectClose(Float64Array.of(3, 4, bad), expected, 1e9, "y")).toThrow("worst at 2");
      expect(() => expectClose(expected, Float64Array.of(3, 4, bad), 1e9, "y")).toThrow("worst at 2");
    }
  });

  it("fails on another shape or length", () => {
    const tensor = (...shape: number[]) => ({ shape, data: expected });
    expect(() => expectTensorClose(tensor(1, 3), tensor(3, 1), 1, "y")).toThrow("shape is 1x3; expected 3x1");
    expect(() => expectTensorClose(undefined, tensor(3), 1, "dw")).toThrow("dw: shape is undefined");
    expect(() => expectClose(Float64Array.of(), expected, 1, "y")).toThrow("0 values");
  });
});
