import type { Layer, Network } from "./network.js";
import { inferShapes, type Shape, volume } from "./shapes.js";

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

/** Of the layer's weights, outputs first; undefined for layers without. There is a bias for each output. */
export function weightShape(layer: Layer, input: Shape): readonly [outputs: number, ...sum: number[]] | undefined {
  if (layer.kind === "convolution") return [layer.filters, input.channels / layer.groups, layer.size, layer.size];
  return layer.kind === "fully-connected" ? [layer.outputs, volume(input)] : undefined;
}

/** The one table that names, shapes and places every parameter of `network`. */
export function parameterTable(network: Network): readonly Parameter[] {
  const table: Parameter[] = [];
  let offset = 0;
  for (const { layer, input } of inferShapes(network)) {
    const weights = weightShape(layer, input);
    if (weights === undefined) continue;
    const [outputs, ...sum] = weights;
    const fanIn = product(sum);
    for (const [role, shape] of [
      ["weight", weights],
      ["bias", [outputs]],
    ] as const) {
      const count = product(shape);
      table.push({ name: `${layer.name}.${role}`, layer: layer.name, role, shape, count, offset, fanIn });
      offset += count;
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

function product(counts: readonly number[]): number {
  return counts.reduce((a, b) => a * b, 1);
}
