import type { Network } from "./network.js";
import { parameterTable } from "./parameters.js";
import { inferShapes, type Shape, volume } from "./shapes.js";

export interface LayerSummary {
  readonly name: string;
  readonly kind: string;
  /** What the network's description says of it besides: filters, size, stride and so on. */
  readonly settings: Readonly<Record<string, string | number>>;
  readonly output: Shape;
  readonly parameters: number;
  /** Multiply-adds for one picture, forward; one is two floating-point operations. Direct convolution. */
  readonly multiplyAdds: number;
}

export interface Summary {
  readonly layers: readonly LayerSummary[];
  readonly parameters: number;
  /** Floating-point operations a picture: 2 per multiply-add of convolutions and fully connected layers. */
  readonly forwardFlops: number;
  /** Forward, weight gradients and input gradients; the first layer needs no input gradient. */
  readonly trainingFlops: number;
}

/** What each layer makes, holds and costs. */
export function summarise(network: Network): Summary {
  const table = parameterTable(network);
  const layers = inferShapes(network).map(({ layer, output }): LayerSummary => {
    const own = table.filter((parameter) => parameter.layer === layer.name);
    const weight = own.find((parameter) => parameter.role === "weight");
    const { name, kind, ...settings } = layer;
    return {
      name,
      kind,
      settings,
      output,
      parameters: own.reduce((sum, parameter) => sum + parameter.count, 0),
      multiplyAdds: weight === undefined ? 0 : weight.fanIn * volume(output),
    };
  });
  const multiplyAdds = layers.reduce((sum, layer) => sum + layer.multiplyAdds, 0);
  const first = layers.find((layer) => layer.multiplyAdds > 0)?.multiplyAdds ?? 0;
  return {
    layers,
    parameters: layers.reduce((sum, layer) => sum + layer.parameters, 0),
    forwardFlops: 2 * multiplyAdds,
    trainingFlops: 2 * (3 * multiplyAdds - first),
  };
}
