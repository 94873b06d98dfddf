import { extname } from "node:path";
import { AlexnetError } from "../errors.js";
import { PICTURE_SIZE } from "../network/picture.js";
import { bgrPlanesToRgb, readBinaryproto } from "./caffe/caffe.js";
import { readNpy } from "./npy.js";

/**
 * Reads a mean image as (256, 256, 3) in red, green, blue. The file is Caffe's .binaryproto, or a .npy of
 * (256, 256, 3) in red, green, blue or of Caffe's (3, 256, 256) in blue, green, red.
 * @throws AlexnetError "unsupported" for another ending, "not-found" or "damaged-file" naming the file and what is wrong.
 */
export function readMeanImage(path: string): Float32Array {
  const ending = extname(path).toLowerCase();
  if (ending === ".binaryproto") return readBinaryproto(path);
  if (ending !== ".npy")
    throw new AlexnetError("unsupported", `${path}: of no known kind; mean images are .binaryproto or .npy files`);
  const { shape, data } = readNpy(path);
  const lengths = shape.join("x");
  if (lengths === `${PICTURE_SIZE}x${PICTURE_SIZE}x3`) return data;
  if (lengths === `3x${PICTURE_SIZE}x${PICTURE_SIZE}`) return bgrPlanesToRgb(data);
  throw new AlexnetError(
    "damaged-file",
    `${path}: is ${lengths}; a mean image is ${PICTURE_SIZE}x${PICTURE_SIZE}x3, or 3x${PICTURE_SIZE}x${PICTURE_SIZE} as Caffe's`,
  );
}
