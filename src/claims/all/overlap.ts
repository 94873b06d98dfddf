import { cifar } from "../../network/architectures/cifar.js";
import type { Claim } from "../claim.js";
import { changed, seeing, toTheEnd } from "../ingredients.js";

/** Of maps of odd sizes (31, 15, 7), windows of 3 and of 2 in steps of 2 make as many places. */
const overlapping = seeing(cifar, 31);
const apart = changed(overlapping, "cifar-apart", (layer) => [
  layer.kind === "max-pool" || layer.kind === "average-pool" ? { ...layer, size: 2 } : layer,
]);

export const overlap: Claim = {
  name: "overlap",
  section: "3.4",
  says: "pooling windows that overlap lower the error by 0.4 points (top-1)",
  compares: "validation error with windows of 3 and of 2 in steps of 2, maps of equal sizes",
  arms: [
    { name: "3 by 3", network: overlapping, recipe: toTheEnd },
    { name: "2 by 2", network: apart, recipe: toTheEnd },
  ],
  measure: { kind: "validation-error" },
  least: 0.002,
  published: [
    "the paper: ImageNet top-1 lower by 0.4 points, top-5 by 0.3",
    "caffenet-benchmark (arXiv 1606.02228): 47.1 % with 3/2, 48.4 % with 2/2, whose maps are larger there",
  ],
};
