import { type Batch, type Preprocessing, pictureBytes, pictureSizeFor } from "../network/picture.js";
import { below, bits } from "../random.js";

/** A batch of noise with crops, mirrors and colour shifts as in training, where the engine need not copy it. */
export function syntheticBatch(batchSize: number, cropSize: number, classes: number): Batch {
  const pictureSize = pictureSizeFor(cropSize);
  const pictures = new Uint8Array(new SharedArrayBuffer(batchSize * pictureBytes(pictureSize)));
  for (let i = 0; i < pictures.length; i += 4) {
    const draw = bits(i);
    for (let byte = 0; byte < 4; byte++) pictures[i + byte] = draw >>> (8 * byte);
  }
  const room = pictureSize - cropSize + 1;
  return {
    pictures,
    labels: Int32Array.from({ length: batchSize }, (_, sample) => below(classes, 1, sample)),
    views: Array.from({ length: batchSize }, (_, sample) => ({
      picture: sample,
      top: below(room, 2, sample),
      left: below(room, 3, sample),
      mirrored: sample % 2 === 1,
      colourShift: [1, -2, 3] as const,
    })),
  };
}

/** The mean of noise, and a scale that keeps activations in the range of real training. */
export function syntheticPreprocessing(cropSize: number): Preprocessing {
  return {
    mean: new Float32Array(pictureBytes(pictureSizeFor(cropSize))).fill(127.5),
    scale: [1 / 58, 1 / 58, 1 / 58],
  };
}
