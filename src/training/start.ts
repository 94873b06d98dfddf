import type { AlgorithmChoices } from "../engine/engine.js";
import { AlexnetError } from "../errors.js";
import type { Model } from "../model/model.js";
import { initialise } from "../network/initialise.js";
import type { Checkpoint } from "../runs/checkpoint/format.js";
import type { Checkpoints } from "../runs/checkpoint/keep.js";
import { initialState, type TrainingState } from "../runs/state.js";
import { refuseOtherCheckpoint, resumedAlgorithms, resumedState } from "./changes.js";
import { readPretrained, startFrom } from "./pretrained.js";
import type { SettledRun } from "./settle.js";

/** What a session of training starts with. */
export interface Start {
  readonly model: Model;
  /** Undefined where all of it is 0. */
  readonly momentum?: Float32Array;
  readonly state: TrainingState;
  /** How the program before carried out its operations, where this one can go on to the same bits. */
  readonly algorithms?: AlgorithmChoices;
}

/**
 * The newest checkpoint; before there is one, a trained model or fresh parameters.
 * @throws AlexnetError "settings-differ" when the checkpoint is another run's or the trained model is no longer what it
 * was, "damaged-file" when no checkpoint is whole.
 */
export async function start(run: SettledRun, checkpoints: Checkpoints): Promise<Start> {
  const found = checkpoints.newest(({ problem }) =>
    run.task.report({
      kind: "warning",
      problem: `${problem}; going on from the checkpoint before it`,
      hints: [],
    }),
  );
  if (found !== undefined) return fromCheckpoint(run, found, checkpoints);
  const state = initialState(run.config.recipe.epochs);
  return { model: run.config.base === null ? freshModel(run) : await fromModel(run, run.config.base), state };
}

function freshModel({ config, store }: SettledRun): Model {
  const { network, recipe, seed } = config;
  const { inputScale, initialisation, meanSubtraction } = recipe;
  const mean = meanSubtraction === "image" ? store.mean : new Float32Array(store.mean.length);
  const preprocessing = { mean, scale: [inputScale, inputScale, inputScale] as const };
  return { network, classes: store.classes, preprocessing, parameters: initialise(network, initialisation, seed) };
}

async function fromModel(
  { config, store, folder, pretrained }: SettledRun,
  { path, hash }: NonNullable<SettledRun["config"]["base"]>,
): Promise<Model> {
  const { model, hash: now } = pretrained ?? (await readPretrained(path));
  if (now !== hash)
    throw new AlexnetError(
      "settings-differ",
      `${folder.path}: began from ${path}, which changed since, and has no checkpoint yet`,
      { hint: { advice: "begin a new run", call: "train", options: { data: config.data.source, from: path } } },
    );
  return startFrom(model, store.classes, config.recipe, config.seed);
}

function fromCheckpoint(
  { config, engine, folder, task }: SettledRun,
  found: Checkpoint,
  checkpoints: Checkpoints,
): Start {
  const { model, momentum, origin } = found;
  refuseOtherCheckpoint(config, found, folder);
  checkpoints.settle(origin.state.step, origin.state.best?.step);
  return {
    model,
    momentum,
    state: resumedState(origin, config, engine.description, task),
    algorithms: resumedAlgorithms(origin, config, engine.description),
  };
}
