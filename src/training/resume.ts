import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { AlgorithmChoices, EngineDescription } from "../engine/engine.js";
import { AlexnetError } from "../errors.js";
import { resolveNetwork } from "../network/networks.js";
import { scaleWidth, withClasses } from "../network/transform.js";
import { layerRatesOf } from "../recipes/layer-rates.js";
import type { Recipe } from "../recipes/recipe.js";
import { chooseRecipe } from "../recipes/recipes.js";
import type { Checkpoint, Origin } from "../runs/checkpoint/format.js";
import { type Difference, describeDifference, differences } from "../runs/differences.js";
import type { RunFolder } from "../runs/folder.js";
import type { RunConfig } from "../runs/settings.js";
import type { TrainingState } from "../runs/state.js";
import type { Store } from "../store/store.js";
import { enumerate } from "../text.js";
import { reasonToEnd } from "./ending.js";
import type { RunChoices } from "./plan.js";

/** What of a recipe may change on the way, when asked for. */
const changeable = ["learningRate", "epochs", "batchSize"] as const;

export interface Changes extends RunChoices {
  readonly override?: boolean;
}

/**
 * A run's settings with those given anew: how it runs is free to change, what it learns is not.
 * @throws AlexnetError "usage" naming each setting that can't change, or only with `override`.
 */
export function changedConfig(config: RunConfig, changes: Changes): RunConfig {
  const { network, width, seed, batchSize, override } = changes;
  if (changes.from !== undefined)
    throw new AlexnetError(
      "invalid-option",
      "from: a run that goes on has its parameters; leave --from out, or begin a new run",
    );
  if (batchSize === "auto")
    throw new AlexnetError(
      "invalid-option",
      "batch auto: a resumed run keeps its batch size; give a number with --override",
    );
  const classes = config.data.classes;
  const wanted = {
    network:
      network === undefined && width === undefined
        ? config.network
        : withClasses(scaleWidth(networkOf(network ?? config.network.name), width ?? config.width), classes),
    recipe: wantedRecipe(config, changes),
    seed: seed ?? config.seed,
    width: width ?? config.width,
  };
  const { network: _network, recipe: _recipe, seed: _seed, width: _width } = config;
  const kept = { network: _network, recipe: _recipe, seed: _seed, width: _width };
  refuse("this run keeps", withoutConsequences(differences(kept, wanted)));

  const next: Recipe = {
    ...config.recipe,
    epochs: changes.epochs ?? config.recipe.epochs,
    batchSize: batchSize ?? config.recipe.batchSize,
    learningRate: changes.learningRate ?? config.recipe.learningRate,
  };
  if (override !== true) refuse("only --override changes", differences({ recipe: config.recipe }, { recipe: next }));
  return {
    ...config,
    recipe: next,
    engine: changes.engine ?? config.engine,
    precision: changes.precision ?? config.precision,
    threads: changes.threads ?? config.threads,
    workers: changes.workers ?? config.workers,
    resident: changes.resident ?? config.resident,
    checkpointEvery: changes.checkpointEvery ?? config.checkpointEvery,
    keep: changes.keep ?? config.keep,
    metricsEvery: changes.metricsEvery ?? config.metricsEvery,
    timeBudget: changes.timeBudget ?? config.timeBudget,
    earlyStop: changes.earlyStop ?? config.earlyStop,
  };
}

/** @throws AlexnetError "run" when the pictures are not those the run was begun with. */
export function refuseOtherData(config: RunConfig, store: Store, folder: RunFolder): void {
  const begun = folder.readClasses();
  const missing = begun.filter((name) => !store.classes.includes(name));
  const added = store.classes.filter((name) => !begun.includes(name));
  if (missing.length > 0 || added.length > 0)
    throw new AlexnetError(
      "classes-differ",
      `${folder.path}: the classes changed,${listed("without", missing)}${listed("with", added)}; train a new run on them${orGoOnWith(config, store, folder)}`,
    );
  if (store.contentHash !== config.data.hash)
    throw new AlexnetError(
      "settings-differ",
      `${folder.path}: the pictures of ${store.path} changed since the run began (${config.data.train} training and ${config.data.val} validation pictures then, ${store.count("train")} and ${store.count("val")} now); train a new run on them${orGoOnWith(config, store, folder)}`,
    );
}

/** @throws AlexnetError "run" when a checkpoint is of another network, recipe or seed than the run's settings say. */
export function refuseOtherRun(
  config: RunConfig,
  { model, origin }: Checkpoint,
  engine: EngineDescription,
  folder: RunFolder,
  warn: (message: string) => void,
): void {
  const { network, seed } = config;
  const changed = differences(
    { network: model.network, recipe: withoutChangeable(origin.recipe, config.recipe), seed: origin.seed },
    { network, recipe: config.recipe, seed },
  );
  if (changed.length > 0)
    throw new AlexnetError(
      "settings-differ",
      `${folder.path}: config.json says otherwise than the checkpoint: ${changed.map(describeDifference).join("; ")}; put it back`,
    );
  const engineChanges = differences(origin.engine, engine);
  if (engineChanges.length > 0)
    warn(
      `the engine is not the one before (${engineChanges.map(describeDifference).join("; ")}): the run goes on, but not to the last bit as it would have`,
    );
}

/** Where to go on: the checkpoint's state, fitted to settings that were changed. */
export function resumedState(
  { state, recipe }: Origin,
  config: RunConfig,
  warn: (message: string) => void,
): TrainingState {
  const { batchSize, epochs } = config.recipe;
  for (const change of differences({ recipe }, { recipe: config.recipe })) warn(describeDifference(change));
  if (batchSize !== recipe.batchSize && state.batch > 0)
    warn("the batch size changed within an epoch: a few of its pictures are left out");
  const batches = Math.ceil(config.data.train / batchSize);
  const batch =
    batchSize === recipe.batchSize ? state.batch : Math.ceil((state.epochTally.samples * batches) / config.data.train);
  const next = { ...state, batch, epochs: config.timeBudget === null ? epochs : Math.min(epochs, state.epochs) };
  const atEpochsEnd = state.batch === 0 && state.epoch > 0;
  return { ...next, ended: atEpochsEnd ? reasonToEnd(next, config) : null };
}

/** The ways to compute that the run took; undefined where engine or batch size are others, for which others may be quicker. */
export function resumedAlgorithms(
  { algorithms, engine, recipe }: Origin,
  config: RunConfig,
  now: EngineDescription,
): AlgorithmChoices | undefined {
  const isSame = recipe.batchSize === config.recipe.batchSize && differences(engine, now).length === 0;
  return isSame ? algorithms : undefined;
}

/** The recipe asked for, and what was asked for about layers; the run's own where nothing was. */
function wantedRecipe({ recipe: own, network }: RunConfig, changes: Changes): Recipe {
  const { recipe, augmentation = own.augmentation, freeze, headRate, layerRates } = changes;
  const isAskedFor = [freeze, headRate, layerRates].some((choice) => choice !== undefined);
  return {
    ...(recipe === undefined ? own : withoutChangeable(chooseRecipe(recipe, 0).recipe, own)),
    augmentation,
    layerRates: isAskedFor ? layerRatesOf(network, changes) : own.layerRates,
  };
}

/** `recipe` with the parts that may change as in `other`, so that only the rest can differ. */
function withoutChangeable(recipe: Recipe, other: Recipe): Recipe {
  return { ...recipe, ...Object.fromEntries(changeable.map((key) => [key, other[key]])) };
}

function networkOf(choice: NonNullable<RunChoices["network"]>) {
  return typeof choice === "string" ? resolveNetwork(choice) : choice;
}

/** A network of another name or width differs everywhere, a recipe of another name too: the cause says it all. */
function withoutConsequences(all: readonly Difference[]): readonly Difference[] {
  const differs = (path: string): boolean => all.some((difference) => difference.path === path);
  const follows = (path: string): boolean =>
    (path.startsWith("network.") && path !== "network.name" && (differs("network.name") || differs("width"))) ||
    (path.startsWith("recipe.") && path !== "recipe.name" && differs("recipe.name"));
  return all.filter(({ path }) => !follows(path));
}

function refuse(rule: string, changed: readonly Difference[]): void {
  if (changed.length > 0)
    throw new AlexnetError(
      "invalid-option",
      `${rule} ${changed.map(describeDifference).join("; ")}; or begin a new run`,
    );
}

/** " without crab, crow" */
function listed(label: string, names: readonly string[]): string {
  return names.length === 0 ? "" : ` ${label} ${enumerate(names, 5)}`;
}

/** The pictures that the run began with may still be there. */
function orGoOnWith({ data }: RunConfig, store: Store, { path }: RunFolder): string {
  if (resolve(store.path) === data.store || !existsSync(data.store)) return "";
  return `, or go on with those it began with (alexnet train --resume ${path})`;
}
