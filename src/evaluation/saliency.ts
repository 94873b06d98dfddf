import { parameterTable, parameterView } from "../network/parameters.js";
import { pictureSizeOf } from "../network/picture.js";
import { centreView } from "../store/views.js";
import { compileModel, type OpenModel } from "./open-model.js";

const FAINT = 2 ** -20;

/**
 * How much each pixel of the centre crop changes the score of class number `target`: the largest size of the slope by
 * its three colours, (crop size, crop size) (Simonyan, Vedaldi, Zisserman 2014, section 3). The score is the class's
 * logit less the mean of all logits.
 *
 * Engines give the slope of the loss. With the last layer made faint the softmax is uniform, and that slope is the
 * score's, times a constant; a network that is sure of its class has no slope to speak of otherwise.
 */
export async function saliencyMap(open: OpenModel, picture: Uint8Array, target: number): Promise<Float32Array> {
  const { model, engine } = open;
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
  const program = await compileModel(
    { engine, model: { ...model, network, parameters } },
    {
      batchSize: 1,
      mode: "train",
      inputGradient: true,
      multipliers: Object.fromEntries(table.map(({ name }) => [name, still])),
    },
  );
  try {
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
function largestOfColours(slopes: Float32Array, pixels: number): Float32Array {
  return Float32Array.from({ length: pixels }, (_, i) =>
    Math.max(Math.abs(slopes[i]), Math.abs(slopes[pixels + i]), Math.abs(slopes[2 * pixels + i])),
  );
}
