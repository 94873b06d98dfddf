import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { AlgorithmChoices, EngineDescription } from "../engine/engine.js";
import { AlexnetError, type Hint } from "../errors.js";
import { scaleWidth, withClasses } from "../network/transform.js";
import { layerRatesOf } from "../recipes/layer-rates.js";
import type { Recipe } from "../recipes/recipe.js";
import { resolveRecipe } from "../recipes/recipes.js";
import type { Checkpoint, Origin } from "../runs/checkpoint/format.js";
import { type Difference, describeDifference, differences } from "../runs/differences.js";
import type { TrainEvent } from "../runs/events.js";
import type { RunFolder } from "../runs/folder.js";
import { changeFreely, given, namesThatChange, type RunChoices, type RunConfig } from "../runs/settings.js";
import type { TrainingState } from "../runs/state.js";
import type { Store } from "../store/store.js";
import type { Task } from "../task.js";
import { enumerate, indexOfName } from "../text.js";
import { describedNetwork, withFields } from "./settle.js";
import { reasonToEnd } from "./stopping.js";

/** What may change between the sessions of a run: its settings, pictures, checkpoint and engine. */

/**
 * A run's settings with those given anew: how it runs is free to change, what it learns is not.
 * @throws AlexnetError "invalid-option" naming each setting that can't change, or only with `override`.
 */
export function changeSettings(config: RunConfig, choices: RunChoices, override: boolean): RunConfig {
  if (choices.from !== undefined)
    throw new AlexnetError("invalid-option", "from: a run that goes on has its parameters", {
      hint: { advice: "leave it out, or begin a new run", option: "from" },
    });
  if (choices.batchSize === "auto")
    throw new AlexnetError("invalid-option", "batchSize: a run that goes on keeps its batch size", {
      hint: { advice: "give a number, with an override", option: "batchSize" },
    });
  const { recipe, network, seed, width } = config;
  const wanted = {
    network: wantedNetwork(config, choices),
    recipe: wantedRecipe(config, choices),
    seed: choices.seed ?? seed,
    width: choices.width ?? width,
  };
  const changed = withoutConsequences(differences({ network, recipe, seed, width }, wanted));
  const anew: Hint = { advice: "begin a new run", call: "train", options: { data: config.data.source } };
  if (changed.length > 0) throw new AlexnetError("invalid-option", `this run keeps ${listed(changed)}`, { hint: anew });
  const next: Recipe = {
    ...recipe,
    ...given(choices, "in recipe", "with override"),
    batchSize: choices.batchSize ?? recipe.batchSize,
  };
  const overridden = differences({ recipe }, { recipe: next });
  if (!override && overridden.length > 0)
    throw new AlexnetError("invalid-option", `only an override changes ${listed(overridden)}`, {
      hint: [{ advice: "ask for it", option: "override", value: true }, anew],
    });
  return { ...changeFreely(config, choices), recipe: next };
}

function wantedNetwork({ network, width, data }: RunConfig, choices: RunChoices) {
  if (choices.network === undefined && choices.width === undefined) return network;
  return withClasses(
    scaleWidth(describedNetwork(choices.network ?? network.name), choices.width ?? width),
    data.classes,
  );
}

/** The recipe asked for, and what was asked for about layers; the run's own where nothing was. */
function wantedRecipe({ recipe: own, network }: RunConfig, choices: RunChoices): Recipe {
  const { recipe, freeze, headRate, layerRates } = choices;
  const isAskedFor = [freeze, headRate, layerRates].some((choice) => choice !== undefined);
  const named = typeof recipe === "string" ? resolveRecipe(recipe) : recipe;
  return {
    ...withoutOverridable(withFields(named ?? own, choices), own),
    layerRates: isAskedFor ? layerRatesOf(network, choices) : own.layerRates,
  };
}

/** `recipe` with the parts that an override changes as in `other`, so that only the rest can differ. */
function withoutOverridable(recipe: Recipe, other: Recipe): Recipe {
  const names = namesThatChange("with override");
  return { ...recipe, ...Object.fromEntries(Object.entries(other).filter(([name]) => names.includes(name))) };
}

/** A network of another name or width differs everywhere, a recipe of another name too: the cause says it all. */
function withoutConsequences(all: readonly Difference[]): readonly Difference[] {
  const differs = (path: string): boolean => all.some((difference) => difference.path === path);
  const follows = (path: string): boolean =>
    (path.startsWith("network.") && path !== "network.name" && (differs("network.name") || differs("width"))) ||
    (path.startsWith("recipe.") && path !== "recipe.name" && differs("recipe.name"));
  return all.filter(({ path }) => !follows(path));
}

function listed(changed: readonly Difference[]): string {
  return changed.map(describeDifference).join("; ");
}

/** @throws AlexnetError "classes-differ" or "settings-differ" when the pictures are not those the run was begun with. */
export function refuseOtherPictures({ data }: RunConfig, store: Store, folder: RunFolder): void {
  const begun = folder.readClasses();
  const missing = begun.filter((name) => indexOfName(store.classes, name) < 0);
  const added = store.classes.filter((name) => indexOfName(begun, name) < 0);
  const hint: Hint[] = [{ advice: "train a new run on them", call: "train", options: { data: store.path } }];
  if (resolve(store.path) !== data.store && existsSync(data.store))
    hint.push({ advice: "go on with those it began with", call: "resume", options: { run: folder.path } });
  if (missing.length > 0 || added.length > 0)
    throw new AlexnetError(
      "classes-differ",
      `${folder.path}: the classes changed,${some("without", missing)}${some("with", added)}`,
      { hint },
    );
  if (store.contentHash !== data.hash)
    throw new AlexnetError(
      "settings-differ",
      `${folder.path}: the pictures of ${store.path} changed since the run began (${data.train} training and ${data.val} validation pictures then, ${store.count("train")} and ${store.count("val")} now)`,
      { hint },
    );
}

/** " without crab, crow" */
function some(label: string, names: readonly string[]): string {
  return names.length === 0 ? "" : ` ${label} ${enumerate(names, 5)}`;
}

/** @throws AlexnetError "settings-differ" when a checkpoint is of another network, recipe or seed than the run. */
export function refuseOtherCheckpoint(config: RunConfig, { model, origin }: Checkpoint, { path }: RunFolder): void {
  const { network, recipe, seed } = config;
  const changed = differences(
    { network: model.network, recipe: withoutOverridable(origin.recipe, recipe), seed: origin.seed },
    { network, recipe, seed },
  );
  if (changed.length > 0)
    throw new AlexnetError(
      "settings-differ",
      `${path}: config.json says otherwise than the checkpoint: ${listed(changed)}; put it back`,
    );
}

/** Where to go on: the checkpoint's state, fitted to settings that were changed; warns of what changed. */
export function resumedState(
  { state, recipe, engine }: Origin,
  config: RunConfig,
  now: EngineDescription,
  { report }: Task<TrainEvent>,
): TrainingState {
  const warn = (problem: string): void => report({ kind: "warning", problem, hints: [] });
  const otherEngine = differences(engine, now);
  if (otherEngine.length > 0)
    warn(
      `the engine is not the one before (${listed(otherEngine)}): the run goes on, but not to the last bit as it would have`,
    );
  for (const change of differences({ recipe }, { recipe: config.recipe })) warn(describeDifference(change));
  const { batchSize, epochs } = config.recipe;
  if (batchSize !== recipe.batchSize && state.batch > 0)
    warn("the batch size changed within an epoch: a few of its pictures are left out");
  const batches = Math.ceil(config.data.train / batchSize);
  const batch =
    batchSize === recipe.batchSize ? state.batch : Math.ceil((state.epochTally.samples * batches) / config.data.train);
  const next = { ...state, batch, epochs: config.timeBudget === null ? epochs : Math.min(epochs, state.epochs) };
  const atEpochsEnd = state.batch === 0 && state.epoch > 0;
  const isDone = atEpochsEnd || next.epoch >= next.epochs; // in the middle of an epoch more than is wanted now
  return { ...next, ended: isDone ? reasonToEnd(next, config) : null };
}

/** The algorithms that the run took; undefined where engine or batch size are others, for which others may be quicker. */
export function resumedAlgorithms(
  { algorithms, engine, recipe }: Origin,
  config: RunConfig,
  now: EngineDescription,
): AlgorithmChoices | undefined {
  const isSame = recipe.batchSize === config.recipe.batchSize && differences(engine, now).length === 0;
  return isSame ? algorithms : undefined;
}
