import type { Layer, Network } from "../../network/network.js";
import type { Parameter } from "../../network/parameters.js";
import { type Preprocessing, pictureBytes, pictureSizeFor } from "../../network/picture.js";
import { outputShape, type Shape } from "../../network/shapes.js";
import { type LayerInputs, type LayerOutputs, pictureShape, type Tensor } from "../engine.js";
import type { Position } from "./walk.js";

/** What one layer as a program of its own has in common on all engines. */

/** Leaves pixels as they are: preprocessing of pictures that the network's crop fits into. */
export function plainPreprocessing({ input }: Network): Preprocessing {
  return { mean: new Float32Array(pictureBytes(pictureSizeFor(input.size))), scale: [1, 1, 1] };
}

/** The layer's place: alone, with all its gradients wanted. */
export function aloneAt(layer: Layer, { x }: LayerInputs): Position {
  const output: Shape = outputShape(layer, pictureShape(x));
  return { index: 0, output, following: [], last: false, needsInputGradient: true };
}

/** The parameter table of one layer with the weights and biases given. */
export function parametersOf(layer: Layer, { w, b }: LayerInputs): readonly Parameter[] {
  if (w === undefined || b === undefined) return [];
  const [outputs = 1] = w.shape;
  const common = { layer: layer.name, fanIn: w.data.length / outputs };
  const { length } = w.data;
  return [
    { ...common, name: `${layer.name}.weight`, role: "weight", shape: w.shape, count: length, offset: 0 },
    { ...common, name: `${layer.name}.bias`, role: "bias", shape: b.shape, count: b.data.length, offset: length },
  ];
}

/** Weights and biases in the order of their table. */
export function parameterValues({ w, b }: LayerInputs): Float32Array {
  return Float32Array.from([...(w?.data ?? []), ...(b?.data ?? [])]);
}

/** What the layer gave: `y` and `dx` row-major, `gradients` in the order of the parameter table. */
export function layerOutputs(
  { x, w, b, dy }: LayerInputs,
  y: Float32Array,
  dx: Float32Array,
  gradients: Float32Array,
): LayerOutputs {
  const outputs = { y: tensorOf(dy.shape, y), dx: tensorOf(x.shape, dx) };
  if (w === undefined || b === undefined) return outputs;
  return {
    ...outputs,
    dw: tensorOf(w.shape, gradients.subarray(0, w.data.length)),
    db: tensorOf(b.shape, gradients.subarray(w.data.length)),
  };
}

export function tensorOf(shape: readonly number[], values: Float32Array): Tensor {
  return { shape, data: Float64Array.from(values) };
}
