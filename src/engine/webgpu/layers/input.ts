import { type Preprocessing, pictureBytes, pictureSizeOf } from "../../../network/picture.js";
import { type Build, partOf } from "../build.js";
import type { Tensor } from "../dispatch.js";
import type { Activation } from "../layer.js";
import type { StepInputBlock } from "../step-inputs.js";
import { each, float } from "../wgsl.js";

/** 32-bit words of a stored picture: each begins at one of its own. */
export function pictureWords(preprocessing: Preprocessing): number {
  return Math.ceil(pictureBytes(pictureSizeOf(preprocessing)) / 4);
}

/**
 * Adds the first operation: the batch's views, (pixel + colour shift - mean) * scale, cropped, then mirrored. Samples the
 * batch lacks are zeros.
 * @param pictures (pictures, size, size, 3), a byte each
 */
export function addInput(
  build: Build,
  { batchSize, size }: { readonly batchSize: number; readonly size: number },
  preprocessing: Preprocessing,
  inputs: StepInputBlock,
  pictures: Tensor,
): Activation {
  const side = pictureSizeOf(preprocessing);
  const shape = { channels: 3, height: size, width: size };
  const volume = 3 * size * size;
  const tensor = build.tensor(batchSize * volume);
  const mean = build.constant(Float32Array.from(preprocessing.mean));
  const [red, green, blue] = preprocessing.scale.map(float);
  build.add(
    { layer: "input", kind: "input", direction: "forward" },
    "crop",
    build.parts("input", batchSize, [volume]).map((part) => {
      const { code, workgroups } = each(
        part.count * volume,
        `let sample = ${part.first}u + index / ${volume}u;
  if (sample >= step_samples()) { out[index] = 0.0f; return; }
  let channel = index / ${size * size}u % 3u;
  let row = index / ${size}u % ${size}u;
  let column = index % ${size}u;
  let corner = view_corner(sample);
  let across = corner.y + select(column, ${size - 1}u - column, view_mirrored(sample));
  let at = ((corner.x + row) * ${side}u + across) * 3u + channel;
  let word = pictures[view_picture(sample) * ${pictureWords(preprocessing)}u + at / 4u];
  let pixel = f32((word >> (at % 4u * 8u)) & 255u);
  let scale = array<f32, 3>(${red}, ${green}, ${blue});
  out[index] = (pixel + view_shift(sample, channel) - mean[at]) * scale[channel];`,
      );
      const bindings = { inputs: inputs.tensor, pictures, mean, out: partOf(tensor, part, volume) };
      return {
        bindings,
        formats: { inputs: "u32", pictures: "u32" },
        code: `${inputs.wgsl}${code}`,
        workgroups,
      };
    }),
  );
  return { tensor, shape };
}
