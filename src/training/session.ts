import { mkdirSync } from "node:fs";
import type { Engine, Program } from "../engine/engine.js";
import { AlexnetError } from "../errors.js";
import { type FrozenFeaturesTask, frozenFeatures, lastFrozenLayer } from "../evaluation/frozen-features.js";
import type { Model } from "../model/model.js";
import { parameterCount } from "../network/parameters.js";
import { Checkpoints } from "../runs/checkpoint/keep.js";
import type { EventListener, TrainEvent, TrainSummary } from "../runs/events.js";
import type { RunFolder } from "../runs/folder.js";
import { logLine } from "../runs/log.js";
import { MetricsFile } from "../runs/metrics.js";
import type { RunConfig } from "../runs/settings.js";
import type { TrainingState } from "../runs/state.js";
import { TensorBoardLog } from "../runs/tensorboard-log.js";
import { batches, type ReadBatches } from "../store/reading/batches.js";
import type { FrozenFeatures } from "../store/reading/feature-batches.js";
import { heldBatches, holdPictures } from "../store/reading/held-pictures.js";
import { pictureCount, type Store } from "../store/store.js";
import { taskOf } from "../task.js";
import type { Base } from "./base.js";
import { findBeginning } from "./beginning.js";
import { Trainer } from "./loop.js";
import { multipliersOf } from "./plan.js";
import { checkOutputs } from "./preflight.js";

export interface Session {
  /** Locked. */
  readonly folder: RunFolder;
  readonly config: RunConfig;
  readonly store: Store;
  readonly engine: Engine;
  readonly onEvent: EventListener;
  readonly signal: AbortSignal | undefined;
  /** What the config names as base, where it was read already. */
  readonly base?: Base;
  /** Gives the batches in place of the store: to measure what reading costs. */
  readonly read?: ReadBatches;
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
  const { program, features, room, model, start } = await makeReady(session, checkpoints, emit);
  try {
    const metrics = new MetricsFile(folder.file("metrics.jsonl"), start.metricsBytes);
    if (metrics.isCut)
      emit({
        kind: "warning",
        message: `${folder.file("metrics.jsonl")}: rows of earlier steps are missing; going on without them`,
      });
    const tensorboard = new TensorBoardLog(folder.tensorboard, start.step);
    const fromStore = room >= pictureCount(store) ? heldBatches : batches;
    const read = features?.batches ?? session.read ?? ((options) => fromStore(store, options));
    const trainer = new Trainer({
      run: folder.path,
      config,
      store,
      engine,
      program,
      read,
      after: features?.layer,
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
      choice: engine.choice,
      resumedAt: start.step === 0 ? undefined : { epoch: start.epoch + 1, step: start.step },
      parameters: parameterCount(config.network),
      memoryBytes: program.memoryBytes,
      batches: trainer.batchesPerEpoch,
      features: features?.path,
      room,
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
    await features?.close();
  }
}

/** What training begins with: a program that holds the parameters and momentum that go with `start`. */
interface Ready {
  readonly program: Program;
  readonly model: Omit<Model, "parameters">;
  readonly start: TrainingState;
  /** What frozen layers make of the pictures, where the program begins after them. */
  readonly features: FrozenFeatures | undefined;
  /** Pictures that the program has room for, and holds if these are all. */
  readonly room: number;
}

async function makeReady(session: Session, checkpoints: Checkpoints, emit: EventListener): Promise<Ready> {
  const { config, engine } = session;
  const { network, recipe } = config;
  const warn = (message: string): void => emit({ kind: "warning", message });
  const beginning = await findBeginning({ base: undefined, ...session, engine: engine.description, checkpoints, warn });
  const { momentum, state } = beginning;
  const { parameters, ...model } = beginning.model;
  const features = await featuresOf(session, beginning.model, emit, warn);
  const program = await engine.compile(network, {
    batchSize: recipe.batchSize,
    mode: "train",
    preprocessing: model.preprocessing,
    multipliers: multipliersOf(recipe, network),
    after: features?.layer,
    algorithms: beginning.algorithms,
  });
  await program.write("parameters", parameters);
  if (momentum !== undefined) await program.write("momentum", momentum);
  if (state.step === 0 && features === undefined) await checkOutputs(program, session.store.info.pictureSize);
  const room = features === undefined && config.resident ? await hold(session, program, emit) : 0;
  return { program, model, start: state, features, room };
}

function hold({ config, store, signal }: Session, program: Program, emit: EventListener): Promise<number> {
  const { network, workers } = config;
  const onProgress = (done: number, total: number): void => emit({ kind: "holding", done, total });
  return holdPictures({ program, store, cropSize: network.input.size, workers, onProgress, signal });
}

async function featuresOf(
  { config, store, engine, signal }: Session,
  model: Model,
  emit: EventListener,
  onWarning: (message: string) => void,
): Promise<FrozenFeatures | undefined> {
  const layer = lastFrozenLayer(config.network, config.recipe);
  if (layer === undefined) return undefined;
  const task: FrozenFeaturesTask = taskOf({
    signal,
    onEvent: (event) => {
      if (event.kind === "warning") onWarning(event.problem);
      else emit({ kind: "features", layer, done: event.done, total: event.total });
    },
  });
  return frozenFeatures({ store, engine, model, layer, workers: config.workers }, task);
}
