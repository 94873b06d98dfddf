import { cifar } from "../network/architectures/cifar.js";
import type { Layer, Network } from "../network/network.js";
import type { Recipe } from "../recipes/recipe.js";
import { recipeByName } from "../recipes/recipes.js";

/** What the claims' arms are made of. */

/** Height and width of the pictures that all claims are tried on: small, so that a machine of two cores can. */
export const CLAIM_PICTURE_SIZE = 32;

/** Nothing but the data: centre crops, a rate that stays, no decay. */
export const plain: Recipe = {
  ...recipeByName("small"),
  name: "claims-plain",
  batchSize: 32, // so that small sets give many steps
  policy: { kind: "step", fractions: [], factor: 10 },
  weightDecay: 0,
  augmentation: false,
};

/** To the end: the rate falls to 0, with the paper's weight decay. */
export const toTheEnd: Recipe = { ...plain, name: "claims", policy: { kind: "linear" }, weightDecay: 0.0005 };

/** Rates that arms with a search are tried at. */
export const searchedRates = [0.003, 0.01, 0.03, 0.1] as const;

/** `network` with each layer replaced by those that `change` makes of it. */
export function changed(network: Network, name: string, change: (layer: Layer) => readonly Layer[]): Network {
  return { ...network, name, layers: network.layers.flatMap(change) };
}

/** Sees crops of this size out of the 32x32 pictures. */
export function seeing(network: Network, size: number): Network {
  return { ...network, input: { channels: 3, size } };
}

/** The four layers with a fully connected one of 512 units before the last, as deep as where the paper has dropout. */
export const wide: Network = changed(cifar, "cifar-wide", (layer) =>
  layer.name === "fc4"
    ? [
        { kind: "fully-connected", name: "fc4", outputs: 512 },
        { kind: "relu", name: "relu4" },
        { ...layer, name: "fc5" },
      ]
    : [layer],
);
