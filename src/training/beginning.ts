import type { AlgorithmChoices, EngineDescription } from "../engine/engine.js";
import { AlexnetError } from "../errors.js";
import type { Model } from "../model/model.js";
import { initialise } from "../network/initialise.js";
import type { Checkpoints } from "../runs/checkpoint/keep.js";
import type { RunFolder } from "../runs/folder.js";
import type { RunConfig } from "../runs/settings.js";
import { initialState, type TrainingState } from "../runs/state.js";
import type { Store } from "../store/store.js";
import { type Base, readBase, startFrom } from "./base.js";
import { refuseOtherRun, resumedAlgorithms, resumedState } from "./resume.js";

/** Where a session of training begins. */
export interface Beginning {
  readonly model: Model;
  /** Undefined where all of it is 0. */
  readonly momentum: Float32Array | undefined;
  readonly state: TrainingState;
  /** How the program before carried out its operations, where this one can go on to the same bits. */
  readonly algorithms?: AlgorithmChoices;
}

export interface BeginningParts {
  readonly folder: RunFolder;
  readonly config: RunConfig;
  readonly store: Store;
  readonly engine: EngineDescription;
  readonly checkpoints: Checkpoints;
  /** What the config names as base, where it was read already. */
  readonly base: Base | undefined;
  readonly warn: (message: string) => void;
}

/**
 * The newest checkpoint; before there is one, fresh parameters or those of the base.
 * @throws AlexnetError "run" when the checkpoint is another run's, or the base is no longer what it was.
 */
export async function findBeginning(parts: BeginningParts): Promise<Beginning> {
  const { folder, config, engine, checkpoints, warn } = parts;
  const found = checkpoints.newest((error) => warn(`${error.message}; going on from the checkpoint before it`));
  if (found === undefined)
    return { model: await firstModel(parts), momentum: undefined, state: initialState(config.recipe.epochs) };
  refuseOtherRun(config, found, engine, folder, warn);
  const { model, momentum, origin } = found;
  checkpoints.settle(origin.state.step, origin.state.best?.step);
  return {
    model,
    momentum,
    state: resumedState(origin, config, warn),
    algorithms: resumedAlgorithms(origin, config, engine),
  };
}

async function firstModel({ config, store, folder, base }: BeginningParts): Promise<Model> {
  const { network, recipe, seed } = config;
  if (config.base !== null) {
    const { path, hash } = config.base;
    const { model, hash: now } = base ?? (await readBase(path));
    if (now !== hash)
      throw new AlexnetError(
        "not-found",
        `${folder.path}: began from ${path}, which changed since, and has no checkpoint yet; begin a new run`,
      );
    return startFrom(model, store.classes, recipe, seed);
  }
  const { inputScale } = recipe;
  const preprocessing = { mean: store.mean, scale: [inputScale, inputScale, inputScale] as const };
  const parameters = initialise(network, recipe.initialisation, seed);
  return { network, classes: store.classes, preprocessing, parameters };
}
