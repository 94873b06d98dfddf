import type { Claim } from "../claim.js";
import { seeing, toTheEnd, wide } from "../ingredients.js";

const common = { network: seeing(wide, 28), recipe: { ...toTheEnd, augmentation: true } };

export const tenViews: Claim = {
  name: "ten-views",
  section: "4.1, 6.1",
  says: "averaging the answers to ten views lowers the error, by 1.7 points (top-1) and 1.0 (top-5)",
  compares: "validation error of ten views and of the centre, by the same networks",
  arms: [
    { name: "ten views", ...common, views: 10 },
    { name: "one view", ...common, trainedAs: "ten views" },
  ],
  measure: { kind: "validation-error" },
  least: 0.002,
  published: [
    "the paper: top-1 39.0 % with one view, 37.5 % with ten (ILSVRC-2010); top-5 18.2 % of one network (2012)",
  ],
};
