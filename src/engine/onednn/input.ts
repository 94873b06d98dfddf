import { PICTURE_SIZE, type Preprocessing, type View } from "../../network/picture.js";
import type { Build } from "./build.js";
import { cropKernel } from "./crop-kernel.js";
import { type Activation, type Current, mapDims } from "./layer.js";

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
  const tensor = build.tensor(build.descriptor(dims, "row-major"));
  build.compute({ layer: "input", kind: "input", direction: "forward" }, [tensor], () => {
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
  return { tensor, dims, rectified: false };
}

/** Adds the first operation of a program that begins after a layer: that layer's outputs, row-major. */
export function addActivations(build: Build, dims: readonly number[], current: Current): Activation {
  const tensor = build.tensor(build.descriptor(dims, "row-major"));
  build.compute({ layer: "input", kind: "input", direction: "forward" }, [tensor], () => {
    const values = build.floats(tensor);
    return () => {
      const { activations = noActivations } = current.batch;
      values.set(activations);
      values.fill(0, activations.length);
    };
  });
  return { tensor, dims, rectified: false };
}

const noActivations = new Float32Array();

/** Writes one view as (3, size, size). `pictures` are (pictures, 256, 256, 3). */
type Cropper = (pictures: Uint8Array, view: View, into: Float32Array) => void;

const PLANE = PICTURE_SIZE * PICTURE_SIZE; // values
const PICTURE = 3 * PLANE; // bytes
/** Where crop.wat has the mean, the picture and the view. */
const Place = { mean: 64, picture: 786560, view: 983232 } as const;
/** Between the view's planes: rows run over by up to three values. */
const ROOM = 4;

interface CropExports {
  readonly memory: WebAssembly.Memory;
  crop(at: number, size: number, mirrored: number, plane: number, ...shiftsThenScales: readonly number[]): void;
}

function openCropper(size: number, { mean, scale }: Preprocessing): Cropper {
  const module = new WebAssembly.Module(Buffer.from(cropKernel, "base64"));
  const { memory, crop } = new WebAssembly.Instance(module).exports as CropExports;
  const planes = new Float32Array(memory.buffer, Place.mean, PICTURE);
  for (let i = 0; i < PICTURE; i++) planes[(i % 3) * PLANE + Math.floor(i / 3)] = mean[i];
  const picture = new Uint8Array(memory.buffer, Place.picture, PICTURE);
  const plane = size * size;
  const colours = [0, 1, 2].map(
    (colour) => new Float32Array(memory.buffer, Place.view + 4 * colour * (plane + ROOM), plane),
  );
  return (pictures, view, into) => {
    const start = view.picture * PICTURE;
    picture.set(pictures.subarray(start, start + PICTURE));
    const column = view.mirrored ? view.left + size - 1 : view.left;
    const at = view.top * PICTURE_SIZE + column;
    crop(at, size, Number(view.mirrored), 4 * (plane + ROOM), ...view.colourShift, ...scale);
    for (const [colour, values] of colours.entries()) into.set(values, colour * plane);
  };
}
