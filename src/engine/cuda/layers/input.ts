import type { Layer } from "../../../network/network.js";
import { type Preprocessing, pictureBytes, pictureSizeOf } from "../../../network/picture.js";
import type { Build, Memory } from "../build.js";
import { float } from "../kernels/kernels.js";
import { type Activation, lengthOf } from "../layer.js";
import type { StepInputBlock } from "../step-inputs.js";
import { squaresFor } from "./convolution.js";

/** How the first layer reads its input. */
export interface InputForm {
  readonly batchSize: number;
  readonly size: number;
  readonly firstLayer: Layer;
}

/**
 * Adds the first operation: the batch's views as the first layer wants them; samples the batch lacks are zeros.
 * @param pictures where batches' pictures lie, in turn
 */
export function addInput(
  build: Build,
  { batchSize, size, firstLayer }: InputForm,
  { mean, scale }: Preprocessing,
  inputs: StepInputBlock,
  pictures: readonly Memory[],
): Activation {
  const side = pictureSizeOf({ mean });
  const form = inputForm(size, firstLayer);
  const tensor = build.tensor(lengthOf(form, batchSize));
  const means = build.tensor(pictureBytes(side), { format: "float32", kept: true });
  const { block, count, padding } = form.squares ?? { block: 1, count: size, padding: 0 };
  const [red, green, blue] = scale.map(float);
  const definitions = {
    PICTURE: side,
    SIZE: size,
    BLOCK: block,
    BLOCKS: count,
    PADDING: padding,
    SCALE_RED: red,
    SCALE_GREEN: green,
    SCALE_BLUE: blue,
  };
  const tensors = [inputs.all, inputs.views, means, tensor];
  const [latest] = pictures;
  build.add({ layer: "input", kind: "input", direction: "forward" }, [latest, ...tensors], "input.cu", () => {
    build.write(means, mean);
    return build.gpu.kernels.each("input", "crop", definitions, tensor.length / 3, [
      ...tensors.map((each) => build.address(each)),
      batchSize,
    ]);
  });
  return { ...form, tensor, rectified: false };
}

/** Shape and squares of what the first layer reads. */
export function inputForm(size: number, firstLayer: Layer, channels = 3): Pick<Activation, "shape" | "squares"> {
  const squares = firstLayer.kind === "convolution" ? squaresFor(firstLayer, channels, size) : undefined;
  return { shape: { channels, height: size, width: size }, squares };
}
