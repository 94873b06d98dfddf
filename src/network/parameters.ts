import type { Network } from "./network.js";
import { inferShapes, volume } from "./shapes.js";

/**
 * One tensor of a network's parameters. All of them lie one after the other, in the order of the layers, weights
 * before biases, in one Float32Array: row-major, convolution weights (filters, channels / groups, height, width),
 * fully connected weights (outputs, inputs), biases (outputs).
 */
export interface Parameter {
  /** `conv1.weight`, `conv1.bias`, … */
  readonly name: string;
  readonly layer: string;
  readonly role: "weight" | "bias";
  readonly shape: readonly number[];
  readonly count: number;
  /** Where it starts in the whole, in values. */
  readonly offset: number;
  /** Values that one output is summed over. */
  readonly fanIn: number;
}

/** The one table that names, shapes and places every parameter of `network`. */
export function parameterTable(network: Network): readonly Parameter[] {
  const table: Parameter[] = [];
  let offset = 0;
  const add = (layer: string, role: Parameter["role"], shape: readonly number[], fanIn: number): void => {
    const count = shape.reduce((a, b) => a * b, 1);
    table.push({ name: `${layer}.${role}`, layer, role, shape, count, offset, fanIn });
    offset += count;
  };
  for (const { layer, input } of inferShapes(network)) {
    if (layer.kind === "convolution") {
      const perGroup = input.channels / layer.groups;
      const fanIn = perGroup * layer.size * layer.size;
      add(layer.name, "weight", [layer.filters, perGroup, layer.size, layer.size], fanIn);
      add(layer.name, "bias", [layer.filters], fanIn);
    } else if (layer.kind === "fully-connected") {
      const fanIn = volume(input);
      add(layer.name, "weight", [layer.outputs, fanIn], fanIn);
      add(layer.name, "bias", [layer.outputs], fanIn);
    }
  }
  return table;
}

/** Number of values in all parameters: 60,965,224 for the paper's network with 1000 classes. */
export function parameterCount(network: Network): number {
  const last = parameterTable(network).at(-1);
  return last === undefined ? 0 : last.offset + last.count;
}

/** The part of `all` that belongs to `parameter`, without copying. */
export function parameterView(all: Float32Array, parameter: Parameter): Float32Array {
  return all.subarray(parameter.offset, parameter.offset + parameter.count);
}
