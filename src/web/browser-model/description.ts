import { constantMean } from "../../model/model.js";
import type { Network } from "../../network/network.js";
import { DEFAULT_PICTURE_SIZE, type Preprocessing, type View } from "../../network/picture.js";

/** What `encodeDescription` writes beside an exported network. */
export interface EncodedDescription {
  readonly network: Network;
  readonly classes: readonly string[];
  readonly scale: Preprocessing["scale"];
  readonly pictureSize?: number;
  /** One colour, or base64 of (size, size, 3) values: float32, little endian. */
  readonly mean: readonly [number, number, number] | string;
}

/** A network's input, classes and preprocessing. */
export interface ModelDescription {
  readonly classes: readonly string[];
  readonly cropSize: number;
  readonly pictureSize: number;
  readonly preprocessing: Preprocessing;
}

export function readDescription(encoded: EncodedDescription): ModelDescription {
  const { network, classes, scale, pictureSize = DEFAULT_PICTURE_SIZE, mean } = encoded;
  return {
    classes,
    cropSize: network.input.size,
    pictureSize,
    preprocessing: { scale, mean: typeof mean === "string" ? decodeMean(mean) : constantMean([...mean], pictureSize) },
  };
}

function decodeMean(base64: string): Float32Array {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const data = new DataView(bytes.buffer);
  return Float32Array.from({ length: bytes.length / 4 }, (_, i) => data.getFloat32(4 * i, true));
}

/** What the network is given of each view of a picture: (views, 3, size, size), (pixel - mean) * scale. */
export function inputOf(picture: Uint8Array, views: readonly View[], description: ModelDescription): Float32Array {
  const {
    cropSize,
    pictureSize,
    preprocessing: { mean, scale },
  } = description;
  const input = new Float32Array(views.length * 3 * cropSize * cropSize);
  let to = 0;
  for (const { top, left, mirrored } of views)
    for (let channel = 0; channel < 3; channel++)
      for (let y = 0; y < cropSize; y++)
        for (let x = 0; x < cropSize; x++) {
          const column = left + (mirrored ? cropSize - 1 - x : x);
          const from = ((top + y) * pictureSize + column) * 3 + channel;
          input[to++] = ((picture[from] ?? 0) - (mean[from] ?? 0)) * (scale[channel] ?? 1);
        }
  return input;
}
