import { type Batch, type Preprocessing, pictureSizeOf } from "../../network/picture.js";

/** The views of a batch as (samples, 3, size, size): (pixel + colour shift - mean) * scale, cropped, then mirrored. */
export function prepareInput(batch: Batch, { mean, scale }: Preprocessing, size: number, x: Float64Array): void {
  const side = pictureSizeOf({ mean });
  let xi = 0;
  for (const { picture, top, left, mirrored, colourShift } of batch.views)
    for (let channel = 0; channel < 3; channel++)
      for (let row = 0; row < size; row++)
        for (let column = 0; column < size; column++) {
          const across = left + (mirrored ? size - 1 - column : column);
          const at = ((top + row) * side + across) * 3 + channel;
          const pixel = batch.pictures[picture * side * side * 3 + at];
          x[xi++] = (pixel + colourShift[channel] - mean[at]) * scale[channel];
        }
}
