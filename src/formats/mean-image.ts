import { extname } from "node:path";
import { AlexnetError } from "../errors.js";
import { bgrPlanesToRgb, readBinaryproto } from "./caffe/caffe.js";
import { readNpy } from "./npy.js";

/**
 * Reads a mean image as (size, size, 3) in red, green, blue. The file is Caffe's .binaryproto, or a .npy of
 * (size, size, 3) in red, green, blue or of Caffe's (3, size, size) in blue, green, red.
 * @throws AlexnetError "unsupported" for another ending, "not-found" or "damaged-file" naming the file and what is wrong.
 */
export function readMeanImage(path: string): Float32Array {
  const ending = extname(path).toLowerCase();
  if (ending === ".binaryproto") return readBinaryproto(path);
  if (ending !== ".npy")
    throw new AlexnetError("unsupported", `${path}: of no known kind; mean images are .binaryproto or .npy files`);
  const { shape, data } = readNpy(path);
  const [a, b, c] = shape;
  if (shape.length === 3 && a !== undefined && a > 0) {
    if (a === b && c === 3) return data;
    if (a === 3 && b === c) return bgrPlanesToRgb(data);
  }
  throw new AlexnetError(
    "damaged-file",
    `${path}: is ${shape.join("x")}; a mean image is square in three colours: such as 256x256x3, or 3x256x256 as Caffe's`,
  );
}
