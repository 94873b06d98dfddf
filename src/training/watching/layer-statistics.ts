import type { Network } from "../../network/network.js";
import { parameterTable, parameterView } from "../../network/parameters.js";
import type { LayerStatistics } from "../../runs/layer-statistics.js";

/** Of each layer with parameters; both arrays in the order of `parameterTable`. */
export function measureLayers(
  network: Network,
  parameters: Float32Array,
  gradients: Float32Array,
): readonly LayerStatistics[] {
  const table = parameterTable(network);
  return [...new Set(table.map(({ layer }) => layer))].map((layer) => {
    const own = table.filter((parameter) => parameter.layer === layer);
    const norm = (values: Float32Array): number =>
      Math.sqrt(own.reduce((sum, parameter) => sum + squares(parameterView(values, parameter)), 0));
    const bias = own.find(({ role }) => role === "bias");
    const silent = bias !== undefined && isRectified(network, layer);
    return {
      layer,
      weightNorm: norm(parameters),
      gradientNorm: norm(gradients),
      silent: silent ? shareOfZeros(parameterView(gradients, bias)) : null,
    };
  });
}

/** Whether a ReLU sees the layer's outputs before another layer with weights does. */
function isRectified(network: Network, layer: string): boolean {
  const after = network.layers.slice(network.layers.findIndex(({ name }) => name === layer) + 1);
  return (
    after.find(({ kind }) => kind === "relu" || kind === "convolution" || kind === "fully-connected")?.kind === "relu"
  );
}

function squares(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return sum;
}

function shareOfZeros(values: Float32Array): number {
  let zeros = 0;
  for (const value of values) if (value === 0) zeros++;
  return zeros / values.length;
}
