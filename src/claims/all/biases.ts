import type { Claim } from "../claim.js";
import { plain, wide } from "../ingredients.js";

export const biases: Claim = {
  name: "biases",
  section: "5",
  says: "biases of 1 speed up the early stages of learning, as the ReLUs begin with positive inputs",
  compares:
    "training loss of the first three epochs, hidden biases from conv2 on of 1 and of 0, the paper's narrow weights",
  arms: [
    {
      name: "biases of 1",
      network: wide,
      recipe: { ...plain, initialisation: { deviation: 0.03, biases: { conv2: 1, conv3: 1, fc4: 1 } } },
    },
    { name: "biases of 0", network: wide, recipe: { ...plain, initialisation: { deviation: 0.03, biases: {} } } },
  ],
  measure: { kind: "early-loss", epochs: 3 },
  least: 0.02,
  published: ["the paper gives no number"],
};
