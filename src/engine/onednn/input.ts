import { PICTURE_SIZE } from "../../network/network.js";
import type { Preprocessing, View } from "../engine.js";
import type { Build } from "./build.js";
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
    const one = 3 * size * size;
    return () => {
      const { pictures, views } = current.batch;
      for (const [sample, view] of views.entries())
        cropView(pictures, view, preprocessing, size, values.subarray(sample * one, (sample + 1) * one));
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
function cropView(
  pictures: Uint8Array,
  view: View,
  { mean, scale }: Preprocessing,
  size: number,
  out: Float32Array,
): void {
  const start = view.picture * PICTURE_SIZE * PICTURE_SIZE * 3;
  const [red, green, blue] = view.colourShift;
  const [redScale, greenScale, blueScale] = scale;
  const left = view.mirrored ? view.left + size - 1 : view.left;
  const step = view.mirrored ? -3 : 3;
  const plane = size * size;
  for (let row = 0; row < size; row++) {
    let at = ((view.top + row) * PICTURE_SIZE + left) * 3;
    const end = (row + 1) * size;
    for (let o = row * size; o < end; o++, at += step) {
      out[o] = (pictures[start + at] + red - mean[at]) * redScale;
      out[o + plane] = (pictures[start + at + 1] + green - mean[at + 1]) * greenScale;
      out[o + 2 * plane] = (pictures[start + at + 2] + blue - mean[at + 2]) * blueScale;
    }
  }
}
