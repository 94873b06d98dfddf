import type { Engine, Tensor } from "#src/engine/engine.js";
import type { EngineName, OpenOptions } from "#src/engine/host/engines.js";
import { openEngine } from "#src/engine/host/open.js";
import { AlexnetError } from "#src/errors.js";
import type { Layer, Network } from "#src/network/network.js";
import type { Batch, Preprocessing, View } from "#src/network/picture.js";
import { bits, mix, normal } from "#src/random.js";

export const PICTURE = 256 * 256 * 3;

/** An open engine, or why this machine can't run it. Any other failure is thrown. */
export async function openIfPossible(name: EngineName | "auto", options?: OpenOptions): Promise<Engine | string> {
  try {
    return await openEngine(name, options);
  } catch (error) {
    if (!(error instanceof AlexnetError && ["engine", "unsupported"].includes(error.code))) throw error;
    return error.message;
  }
}

/** Subtracts 128, so that pictures hold -128 to 127. */
export const centred: Preprocessing = { mean: new Float32Array(PICTURE).fill(128), scale: [1, 1, 1] };

export const plainView: View = { picture: 0, top: 0, left: 0, mirrored: false, colourShift: [0, 0, 0] };

/** Whole numbers -128 to 127, (count, 3, size, size), as pictures whose upper left corners hold them plus 128. */
export function picturesOf({ shape, data }: Tensor): Uint8Array {
  const [count, , size] = shape;
  const pictures = new Uint8Array(count * PICTURE);
  let i = 0;
  for (let picture = 0; picture < count; picture++)
    for (let channel = 0; channel < 3; channel++)
      for (let row = 0; row < size; row++)
        for (let column = 0; column < size; column++, i++) {
          if (!Number.isInteger(data[i]) || data[i] < -128 || data[i] > 127)
            throw new Error(`value ${i} is ${data[i]}: no whole number from -128 to 127`);
          pictures[picture * PICTURE + (row * 256 + column) * 3 + channel] = data[i] + 128;
        }
  return pictures;
}

/** Pictures of noise with one plain view each, on shared memory as the store's are. */
export function noiseBatch(samples: number, classes: number, seed = 1): Batch {
  const pictures = new Uint8Array(new SharedArrayBuffer(samples * PICTURE));
  for (let i = 0; i < pictures.length; i++) pictures[i] = mix(i ^ mix(seed));
  return {
    pictures,
    views: Array.from({ length: samples }, (_, picture) => ({ ...plainView, picture })),
    labels: Int32Array.from({ length: samples }, (_, i) => bits(seed, -1, i) % classes),
  };
}

/** The first `count` samples of a batch. */
export function firstSamples({ pictures, views, labels }: Batch, count: number): Batch {
  return { pictures, views: views.slice(0, count), labels: labels.slice(0, count) };
}

export function normalTensor(seed: number, ...shape: number[]): Tensor {
  const length = shape.reduce((a, b) => a * b, 1);
  return { shape, data: Float64Array.from({ length }, (_, i) => Math.fround(normal(seed, i))) };
}

export function networkOf(size: number, ...layers: Layer[]): Network {
  return { name: "test", input: { channels: 3, size }, layers };
}

/** Every kind of layer, small: 3x15x15 crops, 5 classes. */
export const smallNetwork = networkOf(
  15,
  { kind: "convolution", name: "conv1", filters: 6, size: 3, stride: 2, padding: 1, groups: 1 },
  { kind: "relu", name: "relu1" },
  { kind: "local-response-norm", name: "norm1", k: 2, n: 5, alpha: 1e-2, beta: 0.75 },
  { kind: "max-pool", name: "pool1", size: 3, stride: 2 },
  { kind: "convolution", name: "conv2", filters: 8, size: 3, stride: 1, padding: 1, groups: 2 },
  { kind: "relu", name: "relu2" },
  { kind: "fully-connected", name: "fc3", outputs: 20 },
  { kind: "relu", name: "relu3" },
  { kind: "dropout", name: "drop3", rate: 0.5 },
  { kind: "fully-connected", name: "fc4", outputs: 5 },
);
export const SMALL_CLASSES = 5;
