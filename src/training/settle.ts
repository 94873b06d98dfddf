import { resolve } from "node:path";
import type { World } from "../distributed/world.js";
import type { Engine, Multipliers } from "../engine/engine.js";
import { AlexnetError, type Hint } from "../errors.js";
import type { Network } from "../network/network.js";
import { resolveNetwork } from "../network/networks.js";
import { parameterTable } from "../network/parameters.js";
import { parseNetwork } from "../network/parse.js";
import { scaleWidth, withClasses } from "../network/transform.js";
import { layerRatesOf } from "../recipes/layer-rates.js";
import type { Recipe } from "../recipes/recipe.js";
import { chooseRecipe, resolveRecipe } from "../recipes/recipes.js";
import type { TrainEvent } from "../runs/events.js";
import type { RunFolder } from "../runs/folder.js";
import {
  given,
  type PreparationChoices,
  type RunChoices,
  type RunConfig,
  settlePreparation,
  settleSettings,
} from "../runs/settings.js";
import { refuseLargerCrop, refuseOtherPictureSize } from "../store/picture-size.js";
import type { BatchOptions, ReadBatches } from "../store/reading/batches.js";
import type { Store } from "../store/store.js";
import type { Task } from "../task.js";
import { fittingBatchSize } from "./capacity.js";
import { headFor, type Pretrained, readPretrained } from "./pretrained.js";

/** A run whose settings are settled, with its pictures and its engine open. */
export interface SettledRun {
  /** Locked. */
  readonly folder: RunFolder;
  readonly config: RunConfig;
  readonly store: Store;
  readonly engine: Engine;
  readonly task: Task<TrainEvent>;
  /** The processes that train it together. */
  readonly world: World;
  /** What the config names as base, where it was read already. */
  readonly pretrained?: Pretrained;
  /** How to have another recipe, where this one was not asked for. */
  readonly hints?: readonly Hint[];
  /** Gives the batches in place of the store: to measure what reading costs. */
  readonly read?: ReadBatches;
}

/** What was chosen about a new run, as far as it can be known before its pictures are looked at. */
export interface Choices extends RunChoices {
  /** The network that will learn, for whatever number of classes. */
  readonly network: Network;
  /** By layer; see `layerRatesOf`. */
  readonly layerRates: Readonly<Record<string, number>>;
  /** What training starts from, where that isn't fresh parameters. */
  readonly pretrained?: Pretrained;
}

/**
 * Reads all that the choices name. Comes before long work, so that what can't be is said at once.
 * @throws AlexnetError "invalid-option", "not-found" and "invalid-network" for what there isn't or can't be; as
 * `readPretrained`.
 */
export async function readChoices(choices: RunChoices): Promise<Choices> {
  const pretrained = choices.from === undefined ? undefined : await readPretrained(choices.from);
  const network =
    pretrained === undefined
      ? scaleWidth(describedNetwork(choices.network ?? "paper"), choices.width ?? 1)
      : networkOf(pretrained, choices);
  if (typeof choices.recipe === "string") resolveRecipe(choices.recipe);
  return { ...choices, network, pretrained, layerRates: layerRatesOf(network, choices) };
}

/** @throws AlexnetError "invalid-option" when another network was asked for than the trained one. */
function networkOf({ path, model }: Pretrained, choices: RunChoices): Network {
  for (const option of ["network", "width"] as const)
    if (choices[option] !== undefined)
      throw new AlexnetError("invalid-option", `${option}: the network is that of ${path} (${model.network.name})`, {
        hint: { advice: "leave it out", option },
      });
  return model.network;
}

/** A network by its name, of a JSON file, or of a description that a caller gave. */
export function describedNetwork(network: NonNullable<RunChoices["network"]>): Network {
  return typeof network === "string" ? resolveNetwork(network) : parseNetwork(network, "network");
}

export interface PicturesOfRun {
  /** The folder or store that was named. */
  readonly source: string;
  readonly store: Store;
  readonly preparation?: PreparationChoices;
}

export interface Settled {
  readonly config: RunConfig;
  /** How to have another recipe, where this one was not asked for. */
  readonly hints: readonly Hint[];
}

/** Every setting of a new run: what was chosen, and what follows from the pictures and the machine. */
export async function settle(choices: Choices, pictures: PicturesOfRun, engine: Engine): Promise<Settled> {
  const { source, store, preparation = {} } = pictures;
  const { pretrained } = choices;
  const classes = store.classes.length;
  const train = store.count("train");
  if (classes < 2)
    throw new AlexnetError("unusable-data", `${source}: has ${classes} class; there must be two or more to tell apart`);
  const network = withClasses(choices.network, classes);
  refuseLargerCrop(store, network);
  if (pretrained !== undefined) refuseOtherPictureSize(store, pretrained.model);
  checkBiases(network, choices);
  const learning = { network, pictures: train, isTrained: pretrained !== undefined };
  const { recipe: named, reason, hint } = chooseRecipe(choices.recipe, learning);
  const fitting = (most: number) => fittingBatchSize(engine, network, most, store.info.pictureSize);
  const recipe = {
    ...withFields(named, choices),
    layerRates: { ...named.layerRates, ...choices.layerRates },
    batchSize: choices.batchSize === "auto" ? await fitting(named.batchSize) : (choices.batchSize ?? named.batchSize),
  };
  const { width, ...others } = settleSettings(
    { ...choices, width: choices.width ?? pretrained?.width },
    { batches: train / recipe.batchSize },
  );
  const config: RunConfig = {
    version: 1,
    data: {
      source: resolve(source),
      store: resolve(store.path),
      hash: store.contentHash,
      train,
      val: store.count("val"),
      classes,
      preparation: settlePreparation({ ...preparation, size: store.info.pictureSize }),
    },
    network,
    width,
    base:
      pretrained === undefined
        ? null
        : { path: pretrained.path, hash: pretrained.hash, head: headFor(pretrained.model, store.classes) },
    recipe,
    recipeReason: reason,
    ...others,
  };
  return { config, hints: hint === undefined ? [] : [hint] };
}

/** @throws AlexnetError "invalid-option" for biases of layers that have none */
function checkBiases(network: Network, { biases = {} }: RunChoices): void {
  const known = [...new Set(parameterTable(network).map(({ layer }) => layer))];
  const unknown = Object.keys(biases).find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new AlexnetError(
      "invalid-option",
      `biases: ${network.name} has no layer ${unknown} with biases; it has ${known.join(", ")}`,
    );
}

/** A recipe with the fields that were chosen one by one. The batch size may be to be settled yet. */
export function withFields(recipe: Recipe, choices: RunChoices): Recipe {
  const { batchSize: _, ...fields } = given(choices, "in recipe") as Partial<Recipe>;
  const { deviation = recipe.initialisation.deviation, biases = recipe.initialisation.biases } = choices;
  return { ...recipe, ...fields, initialisation: { ...recipe.initialisation, deviation, biases } };
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

/** What one epoch of training sees, from a batch on: the first epoch and the first batch are 0. */
export function batchesOfEpoch(config: RunConfig, epoch: number, firstBatch = 0): BatchOptions {
  const { recipe, network, seed, workers, balance } = config;
  return {
    split: "train",
    views: recipe.augmentation ? "augmented" : "centre",
    batchSize: recipe.batchSize,
    cropSize: network.input.size,
    seed,
    epoch,
    shuffle: true,
    balanced: balance === "sampling",
    firstBatch,
    crops: recipe.crops,
    mirrors: recipe.mirrors,
    colourDeviation: recipe.colourDeviation,
    workers: workers ?? undefined,
  };
}
