import { parameterTable, parameterView } from "../network/parameters.js";
import { pictureSizeOf } from "../network/picture.js";
import { centreView } from "../store/views.js";
import type { LoadedModel } from "./loaded-model.js";

const FAINT = 2 ** -20;

/**
 * How much each pixel of the centre crop changes the score of class number `target`: the largest size of the gradient by
 * its three colours, (crop size, crop size) (Simonyan, Vedaldi, Zisserman 2014, section 3). The score is the class's
 * logit less the mean of all logits.
 *
 * Engines give the gradient of the loss. With the last layer made faint the softmax is uniform, and that gradient is
 * the score's, times a constant; where the network is sure of its class the loss has hardly any gradient otherwise.
 */
export async function saliencyMap(
  { model, engine, verified }: LoadedModel,
  picture: Uint8Array,
  target: number,
): Promise<Float32Array> {
  await verified;
  const layers = model.network.layers.filter(({ kind }) => kind !== "dropout"); // as in prediction
  const network = { ...model.network, layers };
  const parameters = model.parameters.slice();
  const table = parameterTable(network);
  for (const parameter of table.filter(({ layer }) => layer === layers.at(-1)?.name)) {
    const values = parameterView(parameters, parameter);
    values.forEach((value, i) => {
      values[i] = value * FAINT;
    });
  }
  const still = { learningRate: 0, weightDecay: 0 };
  const program = await engine.compile(network, {
    batchSize: 1,
    mode: "train",
    preprocessing: model.preprocessing,
    inputGradient: true,
    multipliers: Object.fromEntries(table.map(({ name }) => [name, still])),
  });
  try {
    await program.write("parameters", parameters);
    const { size } = network.input;
    const batch = {
      pictures: picture,
      views: [centreView({ pictureSize: pictureSizeOf(model.preprocessing), cropSize: size })],
      labels: Int32Array.of(target),
    };
    await program.step(batch, { learningRate: 0, momentum: 0, weightDecay: 0, seed: 0 });
    return largestOfColours(await program.inputGradient(), size * size);
  } finally {
    await program.close();
  }
}

/** Of (3, pixels), the largest size at each pixel. */
function largestOfColours(gradients: Float32Array, pixels: number): Float32Array {
  const sizeAt = (i: number): number => Math.abs(gradients[i] ?? Number.NaN);
  return Float32Array.from({ length: pixels }, (_, i) =>
    Math.max(sizeAt(i), sizeAt(pixels + i), sizeAt(2 * pixels + i)),
  );
}
