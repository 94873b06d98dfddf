import { statSync } from "node:fs";
import { join } from "node:path";
import type { CompileOptions, Engine, Precision, Program } from "../engine/engine.js";
import type { EngineName } from "../engine/host/engines.js";
import { openEngine } from "../engine/host/open.js";
import { AlexnetError } from "../errors.js";
import type { Model } from "../model/model.js";
import { type CheckpointName, checkpointPath } from "../runs/checkpoint/keep.js";
import { readUnverifiedModel, type UnverifiedModel } from "../runs/checkpoint/read.js";

export interface TrainedOptions {
  /** Of a run: "best" (the lowest validation error; default) or "last". */
  readonly checkpoint?: CheckpointName;
  /** Default "auto". */
  readonly engine?: EngineName | "auto";
  readonly threads?: number;
  /** Of products; what is quickest on the engine where left out. */
  readonly precision?: Precision;
}

/** A trained network beside an engine for it. */
export interface OpenModel {
  /** The file it was read from. */
  readonly path: string;
  readonly model: Model;
  readonly engine: Engine;
  /** Closes the engine, and with it what was compiled on it. */
  close(): Promise<void>;
}

/** A trained network, ready to predict. */
export interface Trained extends OpenModel {
  readonly program: Program;
}

/**
 * Opens a run's trained network, or a checkpoint's file, and an engine.
 * @throws AlexnetError "run" when there is none or it is damaged, "engine" when it can't run here.
 */
export async function openModel(run: string, options: TrainedOptions = {}): Promise<OpenModel> {
  const { verify, ...open } = await openUnverified(run, options);
  try {
    await verify();
    return open;
  } catch (error) {
    await open.close();
    throw error;
  }
}

async function openUnverified(run: string, options: TrainedOptions): Promise<OpenModel & UnverifiedModel> {
  const path = modelPath(run, options.checkpoint ?? "best");
  const read = readUnverifiedModel(path);
  const { threads, precision } = options;
  const engine = await openEngine(options.engine ?? "auto", { threads, precision });
  return { path, ...read, engine, close: () => engine.close() };
}

/** Compiles a trained network; without another word to predict. */
export async function compileModel(
  { model, engine }: Pick<OpenModel, "model" | "engine">,
  options: Pick<CompileOptions, "batchSize"> & Partial<CompileOptions>,
): Promise<Program> {
  const { network, preprocessing, parameters } = model;
  const program = await engine.compile(network, { mode: "predict", preprocessing, ...options });
  await program.write("parameters", parameters);
  return program;
}

/** `openModel`, compiled to predict batches of up to `batchSize` views. @throws as it does. */
export async function openTrained(run: string, batchSize: number, options: TrainedOptions = {}): Promise<Trained> {
  const { verify, ...open } = await openUnverified(run, options);
  try {
    const [program] = await Promise.all([compileModel(open, { batchSize }), verify()]);
    return { ...open, program };
  } catch (error) {
    await open.close();
    throw error;
  }
}

const VIEWS_A_BATCH = 128; // fewer cost speed: the weights are read from memory for each batch

/** As many as the engine is quick with; one at least. */
export function picturesPerBatch(views: number): number {
  return Math.max(1, Math.floor(VIEWS_A_BATCH / views));
}

/** The file of a run's checkpoint; a file stands for itself. @throws AlexnetError "run" when there is none. */
export function modelPath(run: string, name: CheckpointName): string {
  const found = statSync(run, { throwIfNoEntry: false });
  if (found === undefined)
    throw new AlexnetError("not-found", `${run}: no such run or checkpoint; \`alexnet runs\` lists the runs there are`);
  return found.isDirectory() ? checkpointPath(join(run, "checkpoints"), name) : run;
}
