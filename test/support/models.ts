import { expect } from "vitest";
import type { Engine } from "#src/engine/engine.js";
import type { Model } from "#src/model/model.js";
import type { Network } from "#src/network/network.js";
import { parameterCount, parameterTable } from "#src/network/parameters.js";
import { classCount } from "#src/network/transform.js";
import { mix, normal } from "#src/random.js";

/** A network with random parameters, large enough for its outputs to differ, and a mean that varies by place. */
export function randomModel(network: Network, seed: number): Model {
  const parameters = new Float32Array(parameterCount(network));
  for (const { role, fanIn, offset, count } of parameterTable(network)) {
    const reach = role === "bias" ? 0.2 : Math.sqrt(6 / fanIn); // as wide as He et al. (2015) have it
    for (let i = offset; i < offset + count; i++) {
      parameters[i] = reach * (mix(i ^ Math.imul(seed, 0x9e3779b1)) / 0x8000_0000 - 1);
    }
  }
  const mean = Float32Array.from({ length: 256 * 256 * 3 }, (_, i) => 110 + (i % 3) * 7 + 5 * Math.sin(i / 1000));
  const classes = Array.from({ length: classCount(network) }, (_, i) => `thing ${i} é`);
  return { network, parameters, preprocessing: { mean, scale: [1 / 57, 1 / 58, 1 / 59] }, classes };
}

/** Every bit of both; arrays as bytes, which is quick. */
export function expectSameModel(actual: Model, expected: Model): void {
  const plain = ({ network, classes, preprocessing }: Model) => ({ network, classes, scale: preprocessing.scale });
  expect(plain(actual)).toEqual(plain(expected));
  const bytes = (values: Float32Array) => Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  expect(bytes(actual.parameters).equals(bytes(expected.parameters))).toBe(true);
  expect(bytes(actual.preprocessing.mean).equals(bytes(expected.preprocessing.mean))).toBe(true);
}

/** The picture of write-fixtures.py: 256x256 RGB by a formula. */
export function formulaPicture(): Uint8Array {
  return Uint8Array.from({ length: 256 * 256 * 3 }, (_, i) => {
    const [y, x, c] = [Math.floor(i / 768), Math.floor(i / 3) % 256, i % 3];
    return (x * 3 + y * 5 + c * 70 + Math.floor((x * y) / 16)) % 256;
  });
}

export function noisePicture(seed: number): Uint8Array {
  return Uint8Array.from({ length: 256 * 256 * 3 }, (_, i) => Math.max(0, Math.min(255, 128 + 60 * normal(seed, i))));
}

/** Softmax outputs for the centre of each picture: (pictures, classes). */
export async function predictCentre(
  engine: Engine,
  model: Model,
  pictures: readonly Uint8Array[],
): Promise<Float32Array> {
  const { network, preprocessing } = model;
  const program = await engine.compile(network, { batchSize: pictures.length, mode: "predict", preprocessing });
  try {
    await program.write("parameters", model.parameters);
    const start = Math.floor((256 - network.input.size) / 2);
    const colourShift = [0, 0, 0] as const;
    const views = pictures.map((_, picture) => ({ picture, top: start, left: start, mirrored: false, colourShift }));
    const all = new Uint8Array(pictures.length * 256 * 256 * 3);
    pictures.forEach((picture, i) => {
      all.set(picture, i * picture.length);
    });
    return await program.predict({ pictures: all, views, labels: new Int32Array(pictures.length) });
  } finally {
    await program.close();
  }
}

/** Logits up to a constant, out of probabilities. */
export function centredLogits(probabilities: ArrayLike<number>): number[] {
  const logs = Array.from(probabilities, Math.log);
  const mean = logs.reduce((sum, value) => sum + value, 0) / logs.length;
  return logs.map((value) => value - mean);
}

export function softmax(logits: ArrayLike<number>): number[] {
  const most = Math.max(...Array.from(logits));
  const powers = Array.from(logits, (value) => Math.exp(value - most));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

/** The largest difference of two lists; NaN when any is not a number, so that comparisons fail. */
export function worstDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.NaN;
  let worst = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i] - b[i]);
    if (!(difference <= worst)) worst = difference;
  }
  return worst;
}
