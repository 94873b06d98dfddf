import type { Batch, Preprocessing } from "../../../network/picture.js";
import { addressOf } from "../../../system/native/memory.js";
import type { Build } from "../build.js";
import { type Activation, type Current, mapDims } from "../layer.js";
import { Cropping, View } from "../rows/crop.js";
import { type Frame, sharedFrame } from "../rows/memory.js";

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
  const frame = sharedFrame(Cropping.views + View.length * batchSize);
  build.rows(info, [tensor], {
    kernel: "crop",
    rows: batchSize,
    constants: (place) => ({ ...preprocessing, size, to: place(tensor), frame }),
    begin: () => describeViews(current.batch, frame),
  });
  return { tensor, dims, rectified: false };
}

function describeViews({ pictures, views }: Batch, frame: Frame): void {
  frame[Cropping.pictures] = Number(addressOf(pictures));
  frame[Cropping.bytes] = pictures.length;
  frame[Cropping.samples] = views.length;
  for (const [sample, { picture, top, left, mirrored, colourShift }] of views.entries())
    frame.set(
      [picture, top, left, Number(mirrored), ...colourShift] satisfies NumbersOfView,
      Cropping.views + View.length * sample,
    );
}

type NumbersOfView = [picture: number, top: number, left: number, mirrored: number, ...colourShift: number[]];

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
