import type { Claim } from "../claim.js";
import { changed, toTheEnd, wide } from "../ingredients.js";

const dropping = changed(wide, "cifar-dropout", (layer) =>
  layer.name === "relu4" ? [layer, { kind: "dropout", name: "drop4", rate: 0.5 }] : [layer],
);

export const dropout: Claim = {
  name: "dropout",
  section: "4.2",
  says: "without dropout the network overfits substantially; dropout doubles the iterations to converge",
  compares: "validation error with dropout of 0.5 on a hidden layer of 512 units and without",
  arms: [
    { name: "dropout", network: dropping, recipe: toTheEnd },
    { name: "no dropout", network: wide, recipe: toTheEnd },
  ],
  measure: { kind: "validation-error" },
  least: 0.005,
  published: [
    "caffenet-benchmark (arXiv 1606.02228), layers of 2048 units: top-1 47.1 % at a rate of 0.5, 49.7 % at 0.3, 47.3 % at 0.1",
  ],
};
