import { cifar } from "../../network/architectures/cifar.js";
import type { Claim } from "../claim.js";
import { changed, toTheEnd } from "../ingredients.js";

const deep = changed(cifar, "cifar-deep", (layer) =>
  layer.name === "pool3"
    ? [
        { kind: "convolution", name: "conv4", filters: 64, size: 3, stride: 1, padding: 1, groups: 1 },
        { kind: "relu", name: "relu4" },
        layer,
      ]
    : [layer],
);
const shallower = changed(deep, "cifar-shallower", (layer) =>
  layer.name === "conv3" || layer.name === "relu3" ? [] : [layer],
);

export const depth: Claim = {
  name: "depth",
  section: "3.5, 7",
  says: "depth matters: without a middle layer the network is worse by about 2 points (top-1)",
  compares: "validation error of five layers and of four, a convolution in the middle removed",
  arms: [
    { name: "all layers", network: deep, recipe: toTheEnd },
    { name: "without conv3", network: shallower, recipe: toTheEnd },
  ],
  measure: { kind: "validation-error" },
  least: 0.005,
  published: ["the paper: removing any of the middle layers costs about 2 points of top-1"],
};
