import { AlexnetError } from "../errors.js";
import type { Layer, Network } from "./network.js";

/** The number of outputs of the last fully connected layer. */
export function classCount(network: Network): number {
  const last = network.layers.at(-1);
  if (last?.kind !== "fully-connected")
    throw new AlexnetError(
      "invalid-network",
      `${network.name}: the last layer must be fully-connected; it gives the logits`,
    );
  return last.outputs;
}

/** The same network for another number of classes. */
export function withClasses(network: Network, classes: number): Network {
  const last = network.layers.length - 1;
  const layers = network.layers.map(
    (layer, i): Layer => (i === last && layer.kind === "fully-connected" ? { ...layer, outputs: classes } : layer),
  );
  return { ...network, layers };
}

/**
 * The same network with `width` times as many maps in every layer (classes stay), for small machines and tests.
 * Counts are rounded to what the groups of this layer and of those that read its maps divide: to whole vectors a group
 * where that many are asked for, else to at least one map a group.
 */
export function scaleWidth(network: Network, width: number): Network {
  if (!(width > 0 && width <= 16))
    throw new AlexnetError("invalid-option", `width ${width}: give a number above 0, up to 16`);
  if (width === 1) return network;
  const last = network.layers.length - 1;
  const layers = network.layers.map((layer, i): Layer => {
    if (layer.kind === "convolution") {
      const unit = leastCommonMultiple(layer.groups, groupsReading(network.layers.slice(i + 1)));
      return { ...layer, filters: roundMaps(layer.filters * width, unit) };
    }
    if (layer.kind === "fully-connected" && i !== last)
      return { ...layer, outputs: Math.max(1, Math.round(layer.outputs * width)) };
    return layer;
  });
  return { ...network, layers };
}

/** Maps of a group are computed this many at once. The paper's network at width 0.25 trains 1.8 times as fast so. */
const VECTOR = 8;

function roundMaps(maps: number, unit: number): number {
  const step = maps >= unit * VECTOR ? unit * VECTOR : unit;
  return Math.max(1, Math.round(maps / step)) * step;
}

/** The groups that maps must be divisible by for the `layers` after them, up to the next layer that makes new maps. */
function groupsReading(layers: readonly Layer[]): number {
  let unit = 1;
  for (const layer of layers) {
    if ("groups" in layer) unit = leastCommonMultiple(unit, layer.groups ?? 1);
    if (layer.kind === "convolution" || layer.kind === "fully-connected") break;
  }
  return unit;
}

function leastCommonMultiple(a: number, b: number): number {
  const gcd = (x: number, y: number): number => (y === 0 ? x : gcd(y, x % y));
  return (a / gcd(a, b)) * b;
}
