import { AlexnetError } from "../errors.js";
import type { Recipe } from "./recipe.js";

/** As the paper trains (section 5), for a million pictures. */
const paper: Recipe = {
  name: "paper",
  epochs: 90,
  batchSize: 128,
  learningRate: 0.01,
  policy: { kind: "plateau", patience: 5, factor: 10, drops: 3 },
  momentum: 0.9,
  weightDecay: 0.0005,
  biasLearningRate: 1,
  biasWeightDecay: 1,
  initialisation: { deviation: 0.01, biases: { conv2: 1, conv4: 1, conv5: 1, fc6: 1, fc7: 1 } },
  inputScale: 1,
  colourDeviation: 0.1,
};

/** Starts to learn at once where `paper` sits at ln(classes) for thousands of steps. */
const small: Recipe = {
  ...paper,
  name: "small",
  epochs: 30,
  policy: { kind: "step", fractions: [0.6, 0.8], factor: 10 },
  initialisation: { deviation: "he", biases: {} },
  inputScale: 1 / 58, // about one over the deviation of photos' pixels around the mean image
};

/** Every recipe the project knows by name. */
export const recipes: Readonly<Record<string, Recipe>> = { [paper.name]: paper, [small.name]: small };

/** @throws AlexnetError "usage" naming the recipes there are. */
export function recipeByName(name: string): Recipe {
  const recipe = Object.hasOwn(recipes, name) ? recipes[name] : undefined;
  if (recipe === undefined)
    throw new AlexnetError("usage", `no recipe is named ${name}; there are: ${Object.keys(recipes).join(", ")}`);
  return recipe;
}

/** From this many training pictures on, the paper's own recipe is the default. */
const LARGE = 100_000;

export interface RecipeChoice {
  readonly recipe: Recipe;
  /** For people: why this one. */
  readonly reason: string;
}

/** The recipe asked for by name or as data, or else the one that suits the number of training pictures. */
export function chooseRecipe(wanted: string | Recipe | undefined, pictures: number): RecipeChoice {
  if (typeof wanted === "object") return { recipe: wanted, reason: "given as data" };
  if (wanted !== undefined) return { recipe: recipeByName(wanted), reason: "asked for" };
  const count = pictures.toLocaleString("en-US");
  const limit = LARGE.toLocaleString("en-US");
  return pictures < LARGE
    ? {
        recipe: small,
        reason: `${count} training pictures are fewer than ${limit}, where the paper's own start learns nothing for long; --recipe paper overrides`,
      }
    : { recipe: paper, reason: `${count} training pictures, at least ${limit}; --recipe small overrides` };
}
