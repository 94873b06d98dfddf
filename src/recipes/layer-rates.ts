import { AlexnetError } from "../errors.js";
import type { Network } from "../network/network.js";
import { learningLayers, selectLayers } from "../network/select-layers.js";

/** Which layers learn slower, faster or not at all. Layers are named as `selectLayers` takes them. */
export interface LayerRateChoices {
  /** Layers that stay as they are. */
  readonly freeze?: string;
  /** Times the learning rate of the last layer. */
  readonly headRate?: number;
  /** Times the learning rate of others, by their names: `{ "conv1..conv3": 0.1, fc7: 2 }`. */
  readonly layerRates?: Readonly<Record<string, number>>;
}

/**
 * By layer, what the learning rate is multiplied by where that isn't 1; 0 is frozen.
 * @throws AlexnetError "invalid-option" for layers there aren't, factors that are none, and when nothing would learn.
 */
export function layerRatesOf(network: Network, choices: LayerRateChoices): Readonly<Record<string, number>> {
  const layers = learningLayers(network);
  const rates = new Map<string, number>();
  const set = (names: readonly string[], rate: number): void => {
    for (const name of names) rates.set(name, rate);
  };
  for (const [names, rate] of Object.entries(choices.layerRates ?? {})) set(selectLayers(network, names), rate);
  if (choices.headRate !== undefined) set(layers.slice(-1), choices.headRate);
  if (choices.freeze !== undefined) set(selectLayers(network, choices.freeze), 0);
  if (layers.every((name) => rates.get(name) === 0))
    throw new AlexnetError(
      "invalid-option",
      `freeze ${choices.freeze ?? ""}: all layers would be frozen; leave some to learn`,
    );
  const inOrder = layers.map((name) => [name, rates.get(name) ?? 1] as const);
  return Object.fromEntries(inOrder.filter(([, rate]) => rate !== 1));
}
