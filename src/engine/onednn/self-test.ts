import { AlexnetError } from "../../errors.js";
import type { Layer } from "../../network/network.js";
import { weightShape } from "../../network/parameters.js";
import { outputShape } from "../../network/shapes.js";
import { normal } from "../../random.js";
import { type LayerInputs, pictureShape, type Tensor } from "../engine.js";
import { openReference } from "../reference/engine.js";
import type { Arithmetic } from "./arithmetic.js";
import type { Library } from "./native/library.js";
import { differentiate } from "./one-layer.js";

/**
 * Whether the library computes right in bfloat16 on this processor: some versions don't, on some. One small layer of
 * each kind that the library computes, against float64; some 50 ms.
 */

/** Of the largest relative error of outputs and gradients: bfloat16 has 8 bits, and what is summed is rounded once. */
const TOLERANCE = 2e-2;

const shape = [2, 64, 12, 12] as const;
const tested: readonly { readonly layer: Layer; readonly shape: readonly number[] }[] = [
  {
    layer: { kind: "convolution", name: "convolution", filters: 64, size: 3, stride: 1, padding: 1, groups: 2 },
    shape,
  },
  { layer: { kind: "convolution", name: "strided", filters: 32, size: 5, stride: 2, padding: 0, groups: 1 }, shape },
  { layer: { kind: "fully-connected", name: "fully-connected", outputs: 96 }, shape: [16, 160] },
  { layer: { kind: "local-response-norm", name: "norm", k: 2, n: 5, alpha: 1e-2, beta: 0.75 }, shape },
  { layer: { kind: "max-pool", name: "max-pool", size: 3, stride: 3 }, shape },
  { layer: { kind: "average-pool", name: "average-pool", size: 3, stride: 2 }, shape },
  { layer: { kind: "relu", name: "relu" }, shape },
  { layer: { kind: "tanh", name: "tanh" }, shape },
];

/**
 * @param compute runs one layer
 * @throws AlexnetError "engine" naming the library's version and what it computes wrong
 */
export function bfloat16Arithmetic(library: Library, compute = differentiate): Arithmetic {
  const cautious: Arithmetic = { type: "bfloat16", poolsExactly: false };
  const reference = openReference();
  for (const [seed, { layer, shape }] of tested.entries()) {
    const inputs = randomInputs(layer, shape, seed);
    const [actual, exact] = [compute(library, cautious, layer, inputs), reference.differentiate(layer, inputs)];
    if (exact instanceof Promise) throw new Error("the reference engine answers at once");
    for (const what of ["y", "dx", "dw", "db"] as const) {
      const error = relativeError(actual[what], exact[what]);
      if (!(error <= TOLERANCE)) throw wrong(library, `${layer.name} (${what}) is off by ${error.toPrecision(2)}`);
    }
  }
  const meeting = meetingGradients(library, cautious, compute);
  if (!isRight(meeting)) throw wrong(library, `max-pool adds 256, 1, 1 and 1 to ${meeting}`);
  const poolsExactly = isRight(meetingGradients(library, { ...cautious, poolsExactly: true }, compute));
  return { ...cautious, poolsExactly };
}

function wrong({ version, instructionSet }: Library, what: string): AlexnetError {
  return new AlexnetError(
    "engine",
    `oneDNN ${version} computes wrongly in bf16 on this processor (${instructionSet}): ${what}; another version may be right`,
    { hint: { advice: "compute in float32", option: "precision", value: "float32" } },
  );
}

/** Four windows of a pool share the middle of 5 x 5 values, which is the largest of each: the sum of their gradients. */
function meetingGradients(library: Library, arithmetic: Arithmetic, compute: typeof differentiate): number {
  const [channels, side, middle] = [32, 5, 12];
  const x = { shape: [1, channels, side, side], data: new Float64Array(channels * side * side) };
  for (let channel = 0; channel < channels; channel++) x.data[channel * side * side + middle] = 1;
  const dy = {
    shape: [1, channels, 2, 2],
    data: Float64Array.from({ length: channels * 4 }, (_, i) => (i % 4 ? 1 : 256)),
  };
  const { dx } = compute(library, arithmetic, { kind: "max-pool", name: "max-pool", size: 3, stride: 2 }, { x, dy });
  return dx.data[middle];
}

/** 259, rounded to 8 bits. */
function isRight(sum: number): boolean {
  return sum === 258 || sum === 260;
}

/** Numbers that bfloat16 holds exactly. */
function randomInputs(layer: Layer, dims: readonly number[], seed: number): LayerInputs {
  const random = (purpose: number, shape: readonly number[]): Tensor => ({
    shape,
    data: Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => {
      const sixteenths = Math.round(16 * normal(seed, purpose, i));
      return sixteenths / 16;
    }),
  });
  const x = random(1, dims);
  const input = pictureShape(x);
  const { channels, height, width } = outputShape(layer, input);
  const weights = weightShape(layer, input);
  return {
    x,
    dy: random(2, [dims[0], channels, ...(height * width > 1 ? [height, width] : [])]),
    ...(weights && { w: random(3, weights), b: random(4, [weights[0]]) }),
  };
}

/** Of the whole tensors; 0 where the layer has none, NaN where anything is. */
function relativeError(actual: Tensor | undefined, exact: Tensor | undefined): number {
  if (exact === undefined) return 0;
  let [difference, whole] = [0, 0];
  for (const [i, value] of exact.data.entries()) {
    difference += ((actual?.data[i] ?? Number.NaN) - value) ** 2;
    whole += value ** 2;
  }
  return Math.sqrt(difference / whole);
}
