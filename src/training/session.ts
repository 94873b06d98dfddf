import { mkdirSync } from "node:fs";
import type { Store } from "../dataset/store.js";
import type { Engine, Program } from "../engine/engine.js";
import { AlexnetError } from "../errors.js";
import { initialise } from "../network/initialise.js";
import { parameterCount } from "../network/parameters.js";
import type { Model } from "./checkpoint.js";
import { Checkpoints } from "./checkpoints.js";
import type { RunConfig } from "./config.js";
import type { EventListener, TrainEvent, TrainSummary } from "./events.js";
import { logLine } from "./log.js";
import { MetricsFile } from "./metrics.js";
import { multipliersOf } from "./plan.js";
import { checkOutputs } from "./preflight.js";
import { refuseOtherRun, resumedState } from "./resume.js";
import type { RunFolder } from "./run-folder.js";
import { initialState, type TrainingState } from "./state.js";
import { TensorBoardLog } from "./tensorboard-log.js";
import { Trainer } from "./trainer.js";

export interface Session {
  /** Locked. */
  readonly folder: RunFolder;
  readonly config: RunConfig;
  readonly store: Store;
  readonly engine: Engine;
  readonly onEvent: EventListener;
  readonly signal: AbortSignal | undefined;
}

/** Trains from the newest checkpoint, or the start, to the end or the signal, and records it in the run's folder. */
export async function runSession(session: Session): Promise<TrainSummary> {
  const { folder, config, store, engine, signal } = session;
  const emit = (event: TrainEvent): void => {
    const line = logLine(event);
    if (line !== undefined) folder.log(line);
    session.onEvent(event);
  };
  mkdirSync(folder.checkpoints, { recursive: true });
  const checkpoints = new Checkpoints(folder.checkpoints, config.keep);
  const model = modelOf(config, store);
  const program = await compile(session, model);
  try {
    const start = await restore(session, program, checkpoints, (message) => emit({ kind: "warning", message }));
    const metrics = new MetricsFile(folder.file("metrics.jsonl"), start.metricsBytes);
    const tensorboard = new TensorBoardLog(folder.tensorboard, start.step);
    const trainer = new Trainer({
      run: folder.path,
      config,
      store,
      engine,
      program,
      model,
      start,
      metrics,
      checkpoints,
      emit: (event) => {
        tensorboard.update(event);
        emit(event);
      },
      signal,
    });
    folder.recordSession(engine.description, start.step);
    emit({
      kind: "started",
      run: folder.path,
      config,
      engine: engine.description,
      resumedAt: start.step === 0 ? undefined : { epoch: start.epoch + 1, step: start.step },
      parameters: parameterCount(config.network),
      memoryBytes: program.memoryBytes,
      batches: trainer.batchesPerEpoch,
    });
    try {
      const summary = await trainer.run();
      emit({ kind: "ended", ...summary });
      return summary;
    } finally {
      metrics.close();
      await tensorboard.close();
    }
  } catch (error) {
    if (error instanceof AlexnetError) folder.logIfPossible(error.message);
    throw error;
  } finally {
    await program.close();
  }
}

function modelOf({ network, recipe }: RunConfig, store: Store): Omit<Model, "parameters"> {
  const { inputScale } = recipe;
  const preprocessing = { mean: store.mean, scale: [inputScale, inputScale, inputScale] as const };
  return { network, classes: store.classes, preprocessing };
}

function compile({ config, engine }: Session, { preprocessing }: Pick<Model, "preprocessing">): Promise<Program> {
  const { network, recipe } = config;
  const multipliers = multipliersOf(recipe, network);
  return engine.compile(network, { batchSize: recipe.batchSize, mode: "train", preprocessing, multipliers });
}

/** Gives the program the newest checkpoint's parameters and momentum, or fresh parameters. @returns where to go on */
async function restore(
  { config, engine, folder }: Session,
  program: Program,
  checkpoints: Checkpoints,
  warn: (message: string) => void,
): Promise<TrainingState> {
  const found = checkpoints.newest((error) => warn(`${error.message}; going on from the checkpoint before it`));
  if (found === undefined) {
    const { network, recipe, seed } = config;
    await program.write("parameters", initialise(network, recipe.initialisation, seed));
    await checkOutputs(program);
    return initialState(recipe.epochs);
  }
  refuseOtherRun(config, found, engine.description, folder, warn);
  await program.write("parameters", found.model.parameters);
  await program.write("momentum", found.momentum);
  const { state } = found.origin;
  checkpoints.settle(state.step, state.best?.step);
  return resumedState(found.origin, config, warn);
}
