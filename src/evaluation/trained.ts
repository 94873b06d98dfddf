import { statSync } from "node:fs";
import { join } from "node:path";
import type { EngineName, Program } from "../engine/engine.js";
import { openEngine } from "../engine/open.js";
import { AlexnetError } from "../errors.js";
import { type Model, readModel } from "../training/checkpoint.js";
import { type CheckpointName, checkpointPath } from "../training/checkpoints.js";

export interface TrainedOptions {
  /** Of a run: "best" (the lowest validation error; default) or "last". */
  readonly checkpoint?: CheckpointName | undefined;
  /** Default "auto". */
  readonly engine?: EngineName | "auto" | undefined;
  readonly threads?: number | undefined;
}

/** A trained network, ready to predict. */
export interface Trained {
  /** The file it was read from. */
  readonly path: string;
  readonly model: Model;
  readonly program: Program;
  /** Closes the engine with it. */
  close(): Promise<void>;
}

/**
 * Opens a run's trained network, or a checkpoint's file, for batches of up to `batchSize` views.
 * @throws AlexnetError "run" when there is none or it is damaged, "engine" when it can't run here.
 */
export async function openTrained(run: string, batchSize: number, options: TrainedOptions = {}): Promise<Trained> {
  const path = modelPath(run, options.checkpoint ?? "best");
  const model = readModel(path);
  const { network, preprocessing, parameters } = model;
  const { threads } = options;
  const engine = await openEngine(options.engine ?? "auto", threads === undefined ? {} : { threads });
  try {
    const program = await engine.compile(network, { batchSize, mode: "predict", preprocessing });
    await program.write("parameters", parameters);
    return { path, model, program, close: () => engine.close() };
  } catch (error) {
    await engine.close();
    throw error;
  }
}

/** The file of a run's checkpoint; a file stands for itself. @throws AlexnetError "run" when there is none. */
export function modelPath(run: string, name: CheckpointName): string {
  const found = statSync(run, { throwIfNoEntry: false });
  if (found === undefined)
    throw new AlexnetError("run", `${run}: no such run or checkpoint; \`alexnet runs\` lists the runs there are`);
  return found.isDirectory() ? checkpointPath(join(run, "checkpoints"), name) : run;
}
