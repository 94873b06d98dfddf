import { initialise } from "../../network/initialise.js";
import type { Layer, Network } from "../../network/network.js";
import { weightShape } from "../../network/parameters.js";
import { type Batch, DEFAULT_PICTURE_SIZE, pictureBytes } from "../../network/picture.js";
import { inferShapes, type Shape, type ShapedLayer } from "../../network/shapes.js";
import { classCount } from "../../network/transform.js";
import { bits, normal } from "../../random.js";
import type { Engine, LayerInputs, Precision, Tensor } from "../engine.js";

/** Largest relative errors of one layer's outputs and gradients against exact arithmetic, by the number format. */
export const layerTolerance: Readonly<Record<Precision, number>> = { float32: 1e-5, tf32: 2e-3, bf16: 2e-2 };

/** How far an engine is from the reference engine. */
export interface Comparison {
  readonly precision: Precision;
  readonly layer: string;
  /** "dx"; "loss of step 3". */
  readonly what: string;
  /** Relative; NaN where anything is. */
  readonly error: number;
  readonly tolerance: number;
}

/** An engine that is to be compared, in the precision it was opened with. */
export interface Candidate {
  readonly engine: Engine;
  readonly precision: Precision;
}

const PICTURE = pictureBytes(DEFAULT_PICTURE_SIZE);
const BATCH = 2;
const STEPS = 3;

/**
 * The updates move the third loss by two fifths, and rounding moves it a hundred times less: at higher rates rounding
 * counts more from step to step, because values that are the largest of a pool's window by a hair change places.
 */
const LEARNING_RATE = 1e-4;
const SEED = 2;

/** NaN is never close. */
export function isClose({ error, tolerance }: Comparison): boolean {
  return error <= tolerance;
}

/** Each layer of `network` alone on random numbers, forward and backward. */
export async function* compareLayers(
  candidates: readonly Candidate[],
  reference: Engine,
  network: Network,
): AsyncGenerator<Comparison> {
  for (const [index, { layer, input, output }] of inferShapes(network).entries()) {
    if (layer.kind === "dropout") continue;
    const inputs = randomInputs(layer, input, output, index);
    const expected = await reference.differentiate(layer, inputs);
    for (const { engine, precision } of candidates) {
      const actual = await engine.differentiate(layer, inputs);
      for (const what of ["y", "dx", "dw", "db"] as const) {
        const [own, exact] = [actual[what], expected[what]];
        if (own === undefined || exact === undefined) continue;
        const error = relativeError(own, exact);
        yield { precision, layer: layer.name, what, error, tolerance: layerTolerance[precision] };
      }
    }
  }
}

/** The losses of a few steps of the whole network on the same pictures: each rests on the updates before it. */
export async function* compareSteps(
  candidates: readonly Candidate[],
  reference: Engine,
  network: Network,
): AsyncGenerator<Comparison> {
  const preprocessing = { mean: new Float32Array(PICTURE).fill(128), scale: [1 / 64, 1 / 64, 1 / 64] } as const;
  const parameters = initialise(network, { deviation: "he", biases: {} }, SEED);
  const batch = noiseBatch(classCount(network));
  const how = { learningRate: LEARNING_RATE, momentum: 0.9, weightDecay: 5e-4 };
  const train = async (each: Engine): Promise<readonly number[]> => {
    const program = await each.compile(network, { batchSize: BATCH, mode: "train", preprocessing });
    await program.write("parameters", parameters);
    const losses: number[] = [];
    for (let seed = 1; seed <= STEPS; seed++) losses.push((await program.step(batch, { ...how, seed })).loss);
    await program.close();
    return losses;
  };
  const expected = await train(reference);
  for (const { engine, precision } of candidates)
    for (const [i, loss] of (await train(engine)).entries())
      yield {
        precision,
        layer: network.name,
        what: `loss of step ${i + 1}`,
        error: Math.abs(loss / (expected[i] ?? Number.NaN) - 1),
        tolerance: layerTolerance[precision] * (i === 0 ? 1 : 10), // as of a whole network, there and back
      };
}

function noiseBatch(classes: number): Batch {
  const pictures = new Uint8Array(BATCH * PICTURE);
  for (let i = 0; i < pictures.length; i++) pictures[i] = bits(i);
  const view = { top: 3, left: 20, colourShift: [5, -3, 1] } as const;
  return {
    pictures,
    views: Array.from({ length: BATCH }, (_, picture) => ({ ...view, picture, mirrored: picture % 2 === 1 })),
    labels: Int32Array.from({ length: BATCH }, (_, i) => i % classes),
  };
}

function randomInputs(layer: Layer, input: Shape, output: ShapedLayer["output"], index: number): LayerInputs {
  const tensor = (seed: number, shape: readonly number[], rounded = false): Tensor => ({
    shape,
    data: Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => {
      const value = normal(index, seed, i);
      return rounded ? Math.round(value * 64) / 64 : Math.fround(value);
    }),
  });
  const shapeOf = ({ channels, height, width }: Shape) => [BATCH, channels, ...(height > 1 ? [height, width] : [])];
  const weights = weightShape(layer, input);
  return {
    x: tensor(1, shapeOf(input), layer.kind === "max-pool"), // exact in bf16, so that the same ones are the largest
    dy: tensor(2, shapeOf(output)),
    ...(weights && { w: tensor(3, weights), b: tensor(4, [weights[0]]) }),
  };
}

/** Of the whole tensors; the difference itself where all of `expected` is 0. */
function relativeError(actual: Tensor, expected: Tensor): number {
  let [difference, whole] = [0, 0];
  for (const [i, value] of expected.data.entries()) {
    difference += ((actual.data[i] ?? Number.NaN) - value) ** 2;
    whole += value ** 2;
  }
  return Math.sqrt(whole === 0 ? difference : difference / whole);
}
