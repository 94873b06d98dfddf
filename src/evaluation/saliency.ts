import { pictureSizeOf } from "../network/picture.js";
import { centreView } from "../store/views.js";
import type { LoadedModel } from "./loaded-model.js";

/**
 * How much each pixel of the centre crop changes the score of class number `target`: the largest size of the gradient by
 * its three colours, (crop size, crop size) (Simonyan, Vedaldi, Zisserman 2014, section 3). The score is the class's
 * logit less the mean of all logits.
 */
export async function saliencyMap(
  { model, engine, verified }: LoadedModel,
  picture: Uint8Array,
  target: number,
): Promise<Float32Array> {
  await verified;
  const { network, preprocessing, parameters } = model;
  const program = await engine.compile(network, { batchSize: 1, mode: "train", preprocessing, inputGradient: true });
  try {
    await program.write("parameters", parameters);
    const { size } = network.input;
    const batch = {
      pictures: picture,
      views: [centreView({ pictureSize: pictureSizeOf(preprocessing), cropSize: size })],
      labels: Int32Array.of(target),
    };
    return largestOfColours(await program.scoreGradient(batch), size * size);
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
