import { type Preprocessing, pictureBytes, pictureSizeOf, type View } from "../../../network/picture.js";
import type { Build } from "../build.js";
import { type Activation, type Current, mapDims } from "../layer.js";
import { cropKernel } from "./crop-kernel.js";

/**
 * Adds the first operation: the batch's views as (batch, 3, size, size), row-major:
 * (pixel + colour shift - mean) * scale, cropped, then mirrored. Samples the batch lacks are zeros.
 */
export function addInput(
  build: Build,
  batchSize: number,
  size: number,
  preprocessing: Preprocessing,
  current: Current,
): Activation {
  const dims = mapDims(batchSize, { channels: 3, height: size, width: size });
  const tensor = build.tensor(build.descriptor(dims, "row-major", "float32"));
  build.compute(info, [tensor], () => {
    const values = build.floats(tensor);
    const cropper = openCropper(size, preprocessing);
    const one = 3 * size * size;
    return () => {
      const { pictures, views } = current.batch;
      for (const [sample, view] of views.entries())
        cropper(pictures, view, values.subarray(sample * one, (sample + 1) * one));
      values.fill(0, views.length * one);
    };
  });
  const typed = build.reorder(tensor, build.descriptor(dims, "row-major"), info);
  return { tensor: typed, dims, rectified: false };
}

/** Adds the first operation of a program that begins after a layer: that layer's outputs, row-major. */
export function addActivations(build: Build, dims: readonly number[], current: Current): Activation {
  const tensor = build.tensor(build.descriptor(dims, "row-major", "float32"));
  build.compute(info, [tensor], () => {
    const values = build.floats(tensor);
    return () => {
      const { activations = noActivations } = current.batch;
      values.set(activations);
      values.fill(0, activations.length);
    };
  });
  const typed = build.reorder(tensor, build.descriptor(dims, "row-major"), info);
  return { tensor: typed, dims, rectified: false };
}

const info = { layer: "input", kind: "input", direction: "forward" } as const;
const noActivations = new Float32Array();

/** Writes one view as (3, size, size). `pictures` are (pictures, side, side, 3), side the mean image's. */
type Cropper = (pictures: Uint8Array, view: View, into: Float32Array) => void;

/** Bytes between the parts of the kernel's memory: it reads and writes over their ends by up to 16. */
const GAP = 64;
/** Values between the view's planes: rows run over by up to three. */
const PLANE_GAP = 4;
const PAGE = 65536; // bytes

interface CropExports {
  readonly memory: WebAssembly.Memory;
  crop(
    means: number,
    meanPlane: number,
    picture: number,
    side: number,
    to: number,
    plane: number,
    at: number,
    size: number,
    mirrored: number,
    ...shiftsThenScales: readonly number[]
  ): void;
}

function openCropper(size: number, { mean, scale }: Preprocessing): Cropper {
  const module = new WebAssembly.Module(Buffer.from(cropKernel, "base64"));
  const { memory, crop } = new WebAssembly.Instance(module).exports as CropExports;
  const side = pictureSizeOf({ mean });
  const bytes = pictureBytes(side);
  const plane = size * size;
  const meanAt = GAP;
  const pictureAt = meanAt + 4 * bytes + GAP;
  const viewAt = Math.ceil((pictureAt + bytes) / GAP) * GAP + GAP;
  memory.grow(Math.ceil((viewAt + 3 * 4 * (plane + PLANE_GAP) + GAP) / PAGE) - memory.buffer.byteLength / PAGE);
  const means = new Float32Array(memory.buffer, meanAt, bytes);
  for (let i = 0; i < bytes; i++) means[(i % 3) * side * side + Math.floor(i / 3)] = mean[i];
  const picture = new Uint8Array(memory.buffer, pictureAt, bytes);
  const colours = [0, 1, 2].map(
    (colour) => new Float32Array(memory.buffer, viewAt + 4 * colour * (plane + PLANE_GAP), plane),
  );
  return (pictures, view, into) => {
    const start = view.picture * bytes;
    picture.set(pictures.subarray(start, start + bytes));
    const column = view.mirrored ? view.left + size - 1 : view.left;
    const at = view.top * side + column;
    const shiftsThenScales = [...view.colourShift, ...scale];
    const mirrored = Number(view.mirrored);
    const places = [meanAt, 4 * side * side, pictureAt, side, viewAt, 4 * (plane + PLANE_GAP)] as const;
    crop(...places, at, size, mirrored, ...shiftsThenScales);
    for (const [colour, values] of colours.entries()) into.set(values, colour * plane);
  };
}
