import type { Tensor } from "#src/engine/engine.js";

type Values = Float32Array | Float64Array;

/** Norm of the difference over the norm of what is expected; of the difference alone where nothing but 0 is. */
export function relativeError(actual: Values, expected: Values): number {
  let difference = 0;
  let whole = 0;
  for (let i = 0; i < expected.length; i++) {
    difference += (actual[i] - expected[i]) ** 2;
    whole += expected[i] ** 2;
  }
  return Math.sqrt(whole === 0 ? difference : difference / whole);
}

/** Fails on a NaN anywhere, and names the value that is farthest off. */
export function expectClose(actual: Values, expected: Values, tolerance: number, what: string): void {
  if (actual.length !== expected.length)
    throw new Error(`${what}: ${actual.length} values; expected ${expected.length}`);
  const error = relativeError(actual, expected);
  if (!(error <= tolerance)) {
    const i = worstIndex(actual, expected);
    throw new Error(
      `${what}: relative error ${error.toExponential(2)} is over ${tolerance}; worst at ${i}: ${actual[i]}, expected ${expected[i]}`,
    );
  }
}

export function expectTensorClose(actual: Tensor | undefined, expected: Tensor, tolerance: number, what: string): void {
  const [shape, expectedShape] = [actual?.shape.join("x"), expected.shape.join("x")];
  if (actual === undefined || shape !== expectedShape)
    throw new Error(`${what}: shape is ${shape}; expected ${expectedShape}`);
  expectClose(actual.data, expected.data, tolerance, what);
}

function worstIndex(actual: Values, expected: Values): number {
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    const distance = Math.abs(actual[i] - expected[i]);
    if (Number.isNaN(distance)) return i;
    if (distance > Math.abs(actual[worst] - expected[worst])) worst = i;
  }
  return worst;
}
