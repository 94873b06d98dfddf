import { cifar } from "../../network/architectures/cifar.js";
import type { Claim } from "../claim.js";
import { changed, plain, searchedRates } from "../ingredients.js";

const saturating = changed(cifar, "cifar-tanh", (layer) => [
  layer.kind === "relu" ? { kind: "tanh", name: layer.name } : layer,
]);

export const relu: Claim = {
  name: "relu",
  section: "3.1, figure 1",
  says: "networks with ReLUs train several times faster than their equivalents with tanh",
  compares: "epochs to 25 % training error, ReLU against tanh, four layers, each at its best rate, not regularised",
  arms: [
    { name: "relu", network: cifar, recipe: plain },
    { name: "tanh", network: saturating, recipe: plain },
  ],
  measure: { kind: "epochs-to-error", error: 0.25 },
  least: Math.log(1.1),
  rates: searchedRates,
  published: [
    "the paper, figure 1: 25 % training error on CIFAR-10 in a sixth of the epochs",
    "caffenet-benchmark (arXiv 1606.02228), ImageNet at 128 pixels: top-1 47.1 % against 40.1 %",
  ],
};
