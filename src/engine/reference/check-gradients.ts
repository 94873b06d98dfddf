import { initialise } from "../../network/initialise.js";
import type { Network } from "../../network/network.js";
import { parameterTable } from "../../network/parameters.js";
import { type Batch, type Preprocessing, pictureBytes, pictureSizeFor } from "../../network/picture.js";
import { classCount } from "../../network/transform.js";
import { below, mix, normal, Purpose } from "../../random.js";

import { prepareInput } from "./input.js";
import { crossEntropy, crossEntropyGradient, softmax } from "./loss.js";
import { TrainingPass } from "./passes.js";

export interface GradientCheckOptions {
  readonly seed: number;
  /** Values of each tensor that are checked. */
  readonly samples: number;
}

/** One value's gradient, by the backward pass and by central differences. */
export interface GradientSample {
  /** Into the tensor. */
  readonly index: number;
  readonly analytic: number;
  readonly numeric: number;
  /** Their difference over the largest of both and the tensor's root mean square gradient. */
  readonly error: number;
}

/** How far one tensor's gradient is off. */
export interface TensorCheck {
  readonly name: string;
  readonly samples: number;
  readonly worst: GradientSample;
  readonly passed: boolean;
}

const BATCH = 2;
const TOLERANCE = 1e-5;
/** Tried in turn: where one makes a rectifier or a maximum change sides, a smaller one does not. */
const STEPS = [1e-6, 1e-7, 1e-8];
/** Every other sample is the first of this many draws that has a gradient: behind a dead unit all are 0. */
const DRAWS = 32;

/**
 * Compares the reference engine's gradients, dropout included, with central differences of its loss: tensor by tensor,
 * on pictures, parameters and places drawn by `seed`.
 * @throws AlexnetError "invalid-network" when the network breaks a rule.
 */
export function* checkGradients(network: Network, options: GradientCheckOptions): Generator<TensorCheck> {
  const { seed, samples } = options;
  const batch = randomBatch(network, seed);
  const pass = differentiatedPass(network, batch, seed);
  for (const [tensor, { name, layer, offset, count }] of parameterTable(network).entries()) {
    const first = network.layers.findIndex((candidate) => candidate.name === layer);
    const typical = rootMeanSquare(pass.gradients.subarray(offset, offset + count));
    /** The loss with one parameter moved by `step`. */
    const lossBeside = (at: number, step: number): number => {
      const value = pass.parameters[at];
      pass.parameters[at] = value + step;
      pass.forward(BATCH, first);
      pass.parameters[at] = value;
      return crossEntropy(pass.logits, batch, BATCH, classCount(network));
    };
    const compared = Array.from({ length: Math.min(samples, count) }, (_, sample) => {
      const draws = Array.from({ length: DRAWS }, (_, i) =>
        below(count, seed, Purpose.gradientCheck, tensor, sample, i),
      );
      const alive = sample % 2 === 0 ? draws.find((draw) => pass.gradients[offset + draw] !== 0) : undefined;
      const index = alive ?? draws[0];
      const at = offset + index;
      const difference = (step: number) => (lossBeside(at, step) - lossBeside(at, -step)) / (2 * step);
      return compareGradient(index, pass.gradients[at], difference, typical);
    });
    pass.forward(BATCH, first); // activations of the true parameters, for the layers behind
    yield summary(name, compared);
  }
}

/**
 * `difference` gives the central difference for a step; the first that agrees counts, or the last. NaN does not agree, nor
 * does 0 with 0 in a tensor without any gradient, for that compares nothing.
 */
export function compareGradient(
  index: number,
  analytic: number,
  difference: (step: number) => number,
  typical: number,
): GradientSample {
  const [step, ...smaller] = STEPS;
  const measure = (by: number): GradientSample => {
    const numeric = difference(by);
    const error = Math.abs(analytic - numeric) / Math.max(Math.abs(analytic), Math.abs(numeric), typical);
    return { index, analytic, numeric, error };
  };
  return smaller.reduce((sample, by) => (agrees(sample) ? sample : measure(by)), measure(step));
}

function summary(name: string, compared: readonly GradientSample[]): TensorCheck {
  const badness = ({ error }: GradientSample): number => (Number.isNaN(error) ? Number.POSITIVE_INFINITY : error);
  const worst = compared.reduce((a, b) => (badness(b) > badness(a) ? b : a));
  return { name, samples: compared.length, worst, passed: agrees(worst) };
}

function agrees({ error }: GradientSample): boolean {
  return error <= TOLERANCE; // false for NaN
}

/** After one forward and backward pass over `batch`. */
function differentiatedPass(network: Network, batch: Batch, seed: number): TrainingPass {
  const pass = new TrainingPass(network, BATCH);
  const classes = classCount(network);
  const preprocessing: Preprocessing = {
    mean: new Float32Array(pictureBytes(pictureSizeFor(network.input.size))).fill(128),
    scale: [1 / 64, 1 / 64, 1 / 64],
  };
  pass.parameters.set(randomParameters(network, seed));
  prepareInput(batch, preprocessing, network.input.size, pass.input);
  pass.drawMasks(BATCH, seed);
  pass.forward(BATCH);
  const probabilities = new Float64Array(BATCH * classes);
  softmax(pass.logits, probabilities, BATCH, classes);
  crossEntropyGradient(probabilities, batch, pass.logitGradients, BATCH, classes);
  pass.backward(BATCH);
  return pass;
}

function rootMeanSquare(values: Float64Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
}

/** He's weights, and biases of deviation 0.1, so that no symmetry hides a mistake. */
function randomParameters(network: Network, seed: number): Float64Array {
  const values = Float64Array.from(initialise(network, { deviation: "he", biases: {} }, seed));
  for (const { role, offset, count } of parameterTable(network))
    if (role === "bias")
      for (let i = offset; i < offset + count; i++) values[i] = 0.1 * normal(seed, Purpose.gradientCheck, i);
  return values;
}

/** Noise pictures, one of them mirrored, both tinted, of different weights. */
function randomBatch(network: Network, seed: number): Batch {
  const draw = (bound: number, ...keys: readonly number[]): number =>
    below(bound, seed, Purpose.gradientCheck, ...keys);
  const pictureSize = pictureSizeFor(network.input.size);
  const corners = pictureSize - network.input.size + 1;
  return {
    pictures: Uint8Array.from({ length: BATCH * pictureBytes(pictureSize) }, (_, i) => mix(i ^ mix(seed))),
    views: Array.from({ length: BATCH }, (_, picture) => ({
      picture,
      top: draw(corners, picture, 0),
      left: draw(corners, picture, 1),
      mirrored: picture === 1,
      colourShift: [5, -3, 2],
    })),
    labels: Int32Array.from({ length: BATCH }, (_, sample) => draw(classCount(network), sample, 2)),
    weights: Float32Array.of(0.5, 1.5),
  };
}
