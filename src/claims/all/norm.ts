import { cifar } from "../../network/architectures/cifar.js";
import type { Claim } from "../claim.js";
import { changed, searchedRates, toTheEnd } from "../ingredients.js";

/** After the first two pools, as in the author's CIFAR-10 networks. */
const normed = changed(cifar, "cifar-norm", (layer) =>
  layer.name === "pool1" || layer.name === "pool2"
    ? [
        layer,
        { kind: "local-response-norm", name: layer.name.replace("pool", "norm"), k: 2, n: 5, alpha: 1e-4, beta: 0.75 },
      ]
    : [layer],
);

export const norm: Claim = {
  name: "norm",
  section: "3.3",
  says: "response normalisation aids generalisation: 13 % against 11 % test error on CIFAR-10",
  compares: "validation error with the paper's norms and without, each at its best rate",
  arms: [
    { name: "norms", network: normed, recipe: toTheEnd },
    { name: "no norms", network: cifar, recipe: toTheEnd },
  ],
  measure: { kind: "validation-error" },
  least: 0.005,
  rates: searchedRates,
  published: [
    "the paper: CIFAR-10 13 % without, 11 % with; ImageNet top-1 lower by 1.4 points",
    "the author's CIFAR-10 networks: 19 % without, 18 % with (their norms work within maps)",
    "caffenet-benchmark (arXiv 1606.02228), ImageNet at 128 pixels: top-1 47.0 % with, 47.1 % without",
  ],
};
