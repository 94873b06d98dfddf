import { mkdirSync } from "node:fs";
import { AlexnetError } from "../errors.js";
import { parameterCount } from "../network/parameters.js";
import { Checkpoints } from "../runs/checkpoint/keep.js";
import type { TrainEvent, TrainSummary } from "../runs/events.js";
import { logLine } from "../runs/log.js";
import { MetricsFile } from "../runs/metrics.js";
import { Now } from "../runs/now.js";
import { TensorBoardLog } from "../runs/tensorboard-log.js";
import { countBatches } from "../store/reading/batches.js";
import { Loop } from "./loop.js";
import { openProgram } from "./program.js";
import type { SettledRun } from "./settle.js";
import { start } from "./start.js";

/** Trains from the newest checkpoint, or the start, to the end or the signal, and records it in the run's folder. */
export async function carryOut(settled: SettledRun): Promise<TrainSummary> {
  const run = withLog(settled);
  try {
    return await trainAndRecord(run);
  } catch (error) {
    if (error instanceof AlexnetError) run.folder.logIfPossible(error.message);
    throw error;
  }
}

async function trainAndRecord(run: SettledRun): Promise<TrainSummary> {
  const { folder, config, store, engine, task } = run;
  mkdirSync(folder.checkpoints, { recursive: true });
  const checkpoints = new Checkpoints(folder.checkpoints, config.keep);
  const begun = await start(run, checkpoints);
  const { model, state } = begun;
  const { batchSize } = config.recipe;
  const batches = countBatches(store, { split: "train", views: "augmented", batchSize });
  const beginning = {
    run: folder.path,
    config,
    classes: model.classes,
    engine: engine.description,
    choice: engine.choice,
    hints: run.hints ?? [],
    resumedAt: state.step === 0 ? undefined : { epoch: state.epoch + 1, step: state.step },
    parameters: parameterCount(config.network),
    batches,
  };
  task.report({ kind: "starting", ...beginning });
  const { program, read, features, capacity, close } = await openProgram(run, begun);
  const metrics = openMetrics(run, state.metricsBytes);
  const tensorboard = new TensorBoardLog(folder.tensorboard, state.step);
  const now = new Now(folder);
  try {
    const report = (event: TrainEvent): void => {
      tensorboard.update(event);
      now.update(event);
      task.report(event);
    };
    folder.recordSession(engine.description, state.step);
    const { memoryBytes } = program;
    report({ kind: "started", ...beginning, memoryBytes, features: features?.path, capacity });
    const open = { program, read, after: features?.layer, batches, model, state, metrics, checkpoints };
    const summary = await new Loop({ ...run, ...open, task: { signal: task.signal, report } }).run();
    report({ kind: "ended", ...summary });
    return summary;
  } finally {
    metrics.close();
    now.close();
    await tensorboard.close();
    await close();
  }
}

/** The run with a task whose events are written to the run's log too. */
function withLog(run: SettledRun): SettledRun {
  const { folder, task } = run;
  const report = (event: TrainEvent): void => {
    const line = logLine(event);
    if (line !== undefined) folder.log(line);
    task.report(event);
  };
  return { ...run, task: { signal: task.signal, report } };
}

function openMetrics({ folder, task }: SettledRun, bytes: number): MetricsFile {
  const path = folder.file("metrics.jsonl");
  const metrics = new MetricsFile(path, bytes);
  if (metrics.isCut)
    task.report({
      kind: "warning",
      problem: `${path}: rows of earlier steps are missing; going on without them`,
      hints: [],
    });
  return metrics;
}
