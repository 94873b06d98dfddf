import { readFileSync } from "node:fs";
import { AlexnetError, type Hint } from "../errors.js";
import type { Network } from "../network/network.js";
import { parseOptions } from "../options.js";
import { thousands } from "../text.js";
import { type Recipe, recipeSchema } from "./recipe.js";

/** As the paper trains (section 5), for a million pictures. */
const paper: Recipe = {
  name: "paper",
  epochs: 90,
  batchSize: 128,
  learningRate: 0.01,
  warmUp: 0,
  policy: { kind: "plateau", patience: 5, factor: 10, drops: 3 },
  momentum: 0.9,
  weightDecay: 0.0005,
  biasLearningRate: 1,
  biasWeightDecay: 1,
  initialisation: { deviation: 0.01, biases: { conv2: 1, conv4: 1, conv5: 1, fc6: 1, fc7: 1 } },
  meanSubtraction: "image",
  inputScale: 1,
  augmentation: true,
  crops: true,
  mirrors: true,
  layerRates: {},
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

/**
 * For networks whose norms don't shrink what goes through them, or that have none. By He's weights alone activations
 * would keep their size from the first layer to the last, where they are so large at full width that the first steps
 * throw the network to where all pictures get one answer. So weights are narrower: after seven layers activations come out
 * as if the paper's norms had divided them (2^0.75 each). The last layer starts smaller still, and the rate is lower and
 * rises over the first epoch.
 */
const unnormalised: Recipe = {
  ...small,
  name: "small-unnormalised",
  learningRate: 0.005,
  warmUp: 1,
  initialisation: { deviation: "he", gain: 2 ** (-1.5 / 7), headGain: 0.3, biases: {} },
};

/**
 * As the source of 2012 trained the network of the paper's tables: conv3 to conv5 start wider, biases learn twice as
 * fast and without decay, and the learning rate drops at epochs 25, 51 and 79 of 91. What was changed by hand on the way
 * is left out: the biases' rate did not drop with the weights', at epoch 67 the colour noise ended and conv1's rate became
 * a tenth lower, and at epoch 72 conv1 stopped learning.
 */
const original2012: Recipe = {
  ...paper,
  name: "original-2012",
  epochs: 91,
  policy: { kind: "step", fractions: [25 / 91, 51 / 91, 79 / 91], factor: 10 },
  biasLearningRate: 2,
  biasWeightDecay: 0,
  initialisation: { ...paper.initialisation, deviations: { conv3: 0.03, conv4: 0.03, conv5: 0.03 } },
};

/** Goes on from parameters that were trained on other pictures: gentle on them, and small steps often. */
const fineTune: Recipe = { ...small, name: "fine-tune", batchSize: 32, learningRate: 0.003 };

/** As Caffe trained its bvlc_alexnet: 450,000 steps of 256 pictures, the learning rate dropping after each 100,000. */
const caffe: Recipe = {
  ...paper,
  name: "caffe",
  epochs: 90,
  batchSize: 256,
  policy: { kind: "step", fractions: [20 / 90, 40 / 90, 60 / 90, 80 / 90], factor: 10 },
  biasLearningRate: 2,
  biasWeightDecay: 0,
  initialisation: {
    deviation: 0.01,
    deviations: { fc6: 0.005, fc7: 0.005 },
    biases: { conv2: 0.1, conv4: 0.1, conv5: 0.1, fc6: 0.1, fc7: 0.1 },
  },
  colourDeviation: 0,
};

/** As `caffe`, with the paper's biases. */
const caffenet: Recipe = {
  ...caffe,
  name: "caffenet",
  initialisation: { ...caffe.initialisation, biases: paper.initialisation.biases },
};

/** Every recipe the project knows by name. */
export const recipes: Readonly<Record<string, Recipe>> = Object.fromEntries(
  [paper, small, unnormalised, fineTune, original2012, caffe, caffenet].map((recipe) => [recipe.name, recipe]),
);

/** @throws AlexnetError "invalid-option" naming the recipes there are. */
export function recipeByName(name: string): Recipe {
  const recipe = Object.hasOwn(recipes, name) ? recipes[name] : undefined;
  if (recipe === undefined)
    throw new AlexnetError(
      "invalid-option",
      `no recipe is named ${name}; there are: ${Object.keys(recipes).join(", ")}; or give a .json file of a recipe's fields`,
    );
  return recipe;
}

/**
 * A recipe by its name, or read from a user's JSON file: whatever ends in .json or has a slash in it.
 * @throws AlexnetError "invalid-option" for a name there isn't or a file that is no recipe, "not-found" for one that
 * can't be read.
 */
export function resolveRecipe(nameOrPath: string): Recipe {
  if (!/\.json$|[/\\]/i.test(nameOrPath)) return recipeByName(nameOrPath);
  let text: string;
  try {
    text = readFileSync(nameOrPath, "utf8");
  } catch (cause) {
    throw new AlexnetError("not-found", `${nameOrPath}: can't be read; give a JSON file of a recipe's fields`, {
      cause,
    });
  }
  try {
    return parseOptions(recipeSchema, JSON.parse(text), nameOrPath);
  } catch (cause) {
    if (cause instanceof SyntaxError)
      throw new AlexnetError("invalid-option", `${nameOrPath}: is not JSON: ${cause.message}`, { cause });
    if (!(cause instanceof AlexnetError)) throw cause;
    const advice = cause.hints.map(({ advice: what }) => `; ${what}`).join(""); // its options are the file's fields
    throw new AlexnetError("invalid-option", `${cause.problem}${advice}`, { cause });
  }
}

/** From this many training pictures on, the paper's own recipe is the default. */
const LARGE = 100_000;

/** What the paper's two norms divide by at the least is 2^0.75 each, 2.83 together; one such norm is not enough. */
const LEAST_SHRINKAGE = 2;

/** The recipe of small sets that suits a network: by what its norms divide activations by at the least. */
export function suitedRecipe({ layers }: Network): Recipe {
  const shrinkage = layers.reduce(
    (product, layer) => (layer.kind === "local-response-norm" ? product * layer.k ** layer.beta : product),
    1,
  );
  return shrinkage < LEAST_SHRINKAGE ? unnormalised : small;
}

export interface RecipeChoice {
  readonly recipe: Recipe;
  /** For people: why this one. */
  readonly reason: string;
  /** How to have another, where this one was not asked for. */
  readonly hint?: Hint;
}

/** What a recipe is chosen for. */
export interface Learning {
  readonly network: Network;
  /** For training. */
  readonly pictures: number;
  /** Whether the parameters are trained already, on other pictures. */
  readonly isTrained?: boolean;
}

/** The recipe asked for by name or as data, or else the one that suits what is to be learnt. */
export function chooseRecipe(
  wanted: string | Recipe | undefined,
  { network, pictures, isTrained = false }: Learning,
): RecipeChoice {
  if (typeof wanted === "object") return { recipe: wanted, reason: "given as data" };
  if (wanted !== undefined) return { recipe: resolveRecipe(wanted), reason: "asked for" };
  if (isTrained)
    return {
      recipe: fineTune,
      reason: "goes on from trained parameters",
      hint: { advice: "name another", option: "recipe" },
    };
  const count = thousands(pictures);
  const limit = thousands(LARGE);
  const suited = suitedRecipe(network);
  if (pictures >= LARGE)
    return {
      recipe: paper,
      reason: `${count} training pictures, at least ${limit}`,
      hint: { advice: "ask for the one of small sets", option: "recipe", value: suited.name },
    };
  const fewer = `${count} training pictures are fewer than ${limit}, where the paper's own start learns nothing for long`;
  return {
    recipe: suited,
    reason: suited === small ? fewer : `${fewer}; without norms like the paper's, at a lower rate and with a warm-up`,
    hint: { advice: "ask for the paper's", option: "recipe", value: paper.name },
  };
}
