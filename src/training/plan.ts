import { resolve } from "node:path";
import type { Engine, Multipliers, Precision } from "../engine/engine.js";
import type { EngineName } from "../engine/host/engines.js";
import { AlexnetError } from "../errors.js";
import type { Network } from "../network/network.js";
import { resolveNetwork } from "../network/networks.js";
import { parameterTable } from "../network/parameters.js";
import { scaleWidth, withClasses } from "../network/transform.js";
import { type LayerRateChoices, layerRatesOf } from "../recipes/layer-rates.js";
import type { Recipe } from "../recipes/recipe.js";
import { chooseRecipe } from "../recipes/recipes.js";
import type { Cadence } from "../runs/cadence.js";
import type { RunConfig } from "../runs/settings.js";
import { refuseLargerCrop, refuseOtherPictureSize } from "../store/picture-size.js";
import type { PreparationOptions } from "../store/preparing/prepare.js";
import type { Store } from "../store/store.js";
import { type Base, headFor, networkOfBase } from "./base.js";
import { fittingBatchSize } from "./preflight.js";

/** What can be chosen about a run; defaults where left out. */
export interface RunChoices extends LayerRateChoices {
  /** A run, a checkpoint's file or one that `importModel` reads, whose parameters are gone on from. */
  readonly from?: string;
  /** A name, the path of a JSON file, or a description. Default "paper". */
  readonly network?: string | Network;
  /** Times as many maps in every layer. Default 1. */
  readonly width?: number;
  /** A name or a recipe of one's own. Default: what suits the number of pictures. */
  readonly recipe?: string | Recipe;
  /** Random crops, reflections and colours; default the recipe's. Without, frozen layers' outputs are kept on disk. */
  readonly augmentation?: boolean;
  /** These three replace the recipe's. "auto" is the largest batch that fits into memory, up to the recipe's. */
  readonly epochs?: number;
  readonly batchSize?: number | "auto";
  readonly learningRate?: number;
  /** Decides every random draw. Default 1. */
  readonly seed?: number;
  /** Default "auto". */
  readonly engine?: EngineName | "auto";
  /** Of products; what is quickest on the engine where left out. */
  readonly precision?: Precision;
  /** Threads that compute and that load pictures; as many as suit the machine. */
  readonly threads?: number;
  readonly workers?: number;
  /** Whether a GPU holds all pictures in its memory where they fit; same results, sooner. Default true. */
  readonly resident?: boolean;
  /** Besides the one after each epoch. Default every ten minutes. */
  readonly checkpointEvery?: Cadence;
  /** Newest checkpoints kept, besides the best. Default 2. */
  readonly keep?: number;
  /** Steps a row of metrics. Default: so many that an epoch has at most 500 rows. */
  readonly metricsEvery?: number;
  /** Seconds to spend; the epochs become as many as fit, up to the recipe's. */
  readonly timeBudget?: number;
  /** End after so many epochs without a lower error. */
  readonly earlyStop?: number;
}

/** How a folder is prepared; see `prepare`. */
export type PreparationChoices = Omit<PreparationOptions, "onProgress" | "signal" | "workers">;

/** Every setting of a new run, with what was chosen and what follows from the pictures and the machine. */
export async function planRun(
  choices: RunChoices,
  data: { readonly source: string; readonly store: Store; readonly preparation?: PreparationChoices },
  engine: Engine,
  base?: Base,
): Promise<RunConfig> {
  const { source, store, preparation } = data;
  const classes = store.classes.length;
  const train = store.count("train");
  if (classes < 2)
    throw new AlexnetError("unusable-data", `${source}: has ${classes} class; there must be two or more to tell apart`);
  const width = choices.width ?? 1;
  const network = withClasses(chosenNetwork(choices, base), classes);
  refuseLargerCrop(store, network);
  if (base !== undefined) refuseOtherPictureSize(store, base.model);
  const { recipe, reason } = chooseRecipe(choices.recipe, train, base !== undefined);
  const effective = await applyTo(recipe, choices, engine, network, store.info.pictureSize);
  return {
    version: 1,
    data: {
      source: resolve(source),
      store: resolve(store.path),
      hash: store.contentHash,
      train,
      val: store.count("val"),
      classes,
      preparation: {
        encoding: "auto",
        valFraction: 0.1,
        seed: 1,
        allowMissingClasses: false,
        allowSvg: false,
        ...preparation,
        size: store.info.pictureSize,
      },
    },
    network,
    width,
    base: base === undefined ? null : { path: base.path, hash: base.hash, head: headFor(base.model, store.classes) },
    recipe: effective,
    recipeReason: reason,
    seed: choices.seed ?? 1,
    engine: choices.engine ?? "auto",
    precision: choices.precision ?? null,
    threads: choices.threads ?? null,
    workers: choices.workers ?? null,
    resident: choices.resident ?? true,
    checkpointEvery: choices.checkpointEvery ?? { unit: "seconds", every: 600 },
    keep: choices.keep ?? 2,
    metricsEvery: choices.metricsEvery ?? Math.ceil(train / effective.batchSize / ROWS_AN_EPOCH),
    timeBudget: choices.timeBudget ?? null,
    earlyStop: choices.earlyStop ?? null,
  };
}

const ROWS_AN_EPOCH = 500;

/**
 * The network that will learn, for whatever number of classes; that of the base if there is one.
 * @throws AlexnetError "usage" or "network" when there is none of that name or it is not as it must be.
 */
export function chosenNetwork(choices: RunChoices, base: Base | undefined): Network {
  if (base !== undefined) return networkOfBase(base, choices);
  const { network = "paper", width = 1 } = choices;
  return scaleWidth(typeof network === "string" ? resolveNetwork(network) : network, width);
}

/** The recipe with the numbers that were chosen in place of its own. */
async function applyTo(
  recipe: Recipe,
  choices: RunChoices,
  engine: Engine,
  network: Network,
  pictureSize: number,
): Promise<Recipe> {
  const { epochs, batchSize, learningRate, augmentation } = choices;
  return {
    ...recipe,
    augmentation: augmentation ?? recipe.augmentation,
    layerRates: { ...recipe.layerRates, ...layerRatesOf(network, choices) },
    epochs: epochs ?? recipe.epochs,
    learningRate: learningRate ?? recipe.learningRate,
    batchSize:
      batchSize === "auto"
        ? await fittingBatchSize(engine, network, recipe.batchSize, pictureSize)
        : (batchSize ?? recipe.batchSize),
  };
}

/** What of a recipe the engine applies parameter by parameter; those that count in full are left out. */
export function multipliersOf(recipe: Recipe, network: Network): Multipliers {
  const { biasLearningRate, biasWeightDecay, layerRates } = recipe;
  const multipliers = parameterTable(network).map(({ name, layer, role }) => {
    const learningRate = (role === "bias" ? biasLearningRate : 1) * (layerRates[layer] ?? 1);
    return [name, { learningRate, weightDecay: role === "bias" ? biasWeightDecay : 1 }] as const;
  });
  return Object.fromEntries(
    multipliers.filter(([, { learningRate, weightDecay }]) => learningRate !== 1 || weightDecay !== 1),
  );
}

/** How training sees pictures by this recipe. */
export function trainingViews({ augmentation }: Recipe): "augmented" | "centre" {
  return augmentation ? "augmented" : "centre";
}
