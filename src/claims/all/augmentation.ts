import type { Claim } from "../claim.js";
import { seeing, toTheEnd, wide } from "../ingredients.js";

/** Crops of 28 out of 32 leave as much room as 227 of 256 do. */
const network = seeing(wide, 28);

export const augmentation: Claim = {
  name: "augmentation",
  section: "4.1",
  says: "without crops, reflections and colours the network overfits substantially",
  compares:
    "validation error of centre crops with all of the paper's augmentation, without, and with crops and mirrors",
  arms: [
    { name: "all", network, recipe: { ...toTheEnd, augmentation: true } },
    { name: "none", network, recipe: toTheEnd },
    { name: "crops and mirrors", network, recipe: { ...toTheEnd, augmentation: true, colourDeviation: 0 } },
  ],
  measure: { kind: "validation-error" },
  least: 0.005,
  published: [
    "the paper: the colours alone lower ImageNet's top-1 error by over 1 point",
    "the author's CIFAR-10 networks: 19 % without, 14.2 % with translations",
  ],
};
