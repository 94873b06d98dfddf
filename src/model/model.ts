import { AlexnetError } from "../errors.js";
import type { Layer, Network } from "../network/network.js";
import { type Parameter, parameterCount, parameterTable, parameterView } from "../network/parameters.js";
import { type Preprocessing, pictureBytes } from "../network/picture.js";
import { enumerate } from "../text.js";

/** A trained network and all that its predictions depend on: what every format reads and writes. */
export interface Model {
  readonly network: Network;
  /** In the order of `parameterTable(network)`. */
  readonly parameters: Float32Array;
  readonly preprocessing: Preprocessing;
  /** Names in the order of the outputs. */
  readonly classes: readonly string[];
}

/** A tensor in a file: its shape is known, its values are read when they are asked for. */
export interface StoredTensor {
  readonly shape: readonly number[];
  /** Overwrites `into`, which holds as many values as the shape says, row-major. */
  readInto(into: Float32Array): void;
}

export type StoredTensors = ReadonlyMap<string, StoredTensor>;

/**
 * All parameters of `network` out of a file's tensors.
 * @param nameOf what the file calls a parameter
 * @throws AlexnetError "damaged-file" naming a tensor that is missing, of another shape, or holds a value that isn't finite.
 */
export function gatherParameters(
  network: Network,
  tensors: StoredTensors,
  nameOf: (parameter: Parameter) => string,
  path: string,
): Float32Array {
  const stored = parameterTable(network).map((parameter) => {
    const name = nameOf(parameter);
    const tensor = tensors.get(name);
    if (tensor === undefined)
      throw new AlexnetError("damaged-file", `${path}: holds no tensor ${name}; ${listed(tensors)}`);
    const [is, expected] = [tensor.shape.join("x"), parameter.shape.join("x")];
    if (is !== expected)
      throw new AlexnetError("damaged-file", `${path}: ${name} is ${is}; ${network.name} needs ${expected} there`);
    return { parameter, name, tensor };
  });
  const values = new Float32Array(parameterCount(network)); // as large as what the file was just seen to hold
  for (const { parameter, name, tensor } of stored) {
    const view = parameterView(values, parameter);
    tensor.readInto(view);
    const odd = view.findIndex((value) => !Number.isFinite(value));
    if (odd >= 0)
      throw new AlexnetError("damaged-file", `${path}: value ${odd} of ${name} is ${view[odd]}; it must be finite`);
  }
  return values;
}

/**
 * `network` with as many maps and outputs in each layer as the weights of a file have.
 * @param weightShape the shape a file has for a layer's weights, if it has any
 */
export function fitWidths(network: Network, weightShape: (layer: string) => readonly number[] | undefined): Network {
  const layers = network.layers.map((layer): Layer => {
    if (layer.kind !== "convolution" && layer.kind !== "fully-connected") return layer;
    const [outputs] = weightShape(layer.name) ?? [];
    if (outputs === undefined) return layer;
    return layer.kind === "convolution" ? { ...layer, filters: outputs } : { ...layer, outputs };
  });
  return { ...network, layers };
}

/** A mean image of one colour: (size, size, 3). */
export function constantMean(colour: readonly [number, number, number], size: number): Float32Array {
  const mean = new Float32Array(pictureBytes(size));
  for (let i = 0; i < mean.length; i++) mean[i] = colour[i % 3] ?? 0;
  return mean;
}

/** The one colour of a mean image, or undefined where it has several. */
export function colourOf(mean: Float32Array): [number, number, number] | undefined {
  const [red = 0, green = 0, blue = 0] = mean;
  return mean.every((value, i) => value === mean[i % 3]) ? [red, green, blue] : undefined;
}

function listed(tensors: StoredTensors): string {
  const names = [...tensors.keys()];
  return names.length === 0 ? "there are none" : `there are ${enumerate(names, 8)}`;
}
