import { existsSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { z } from "zod";
import { alone } from "../distributed/world.js";
import type { Engine } from "../engine/engine.js";
import { openEngine } from "../engine/host/open.js";
import { AlexnetError } from "../errors.js";
import type { OpenModelOptions } from "../evaluation/loaded-model.js";
import { type OpenModel, openModel } from "../evaluation/open-model.js";
import { pictureSizeOf } from "../network/picture.js";
import { parseOptions, path, taskShape } from "../options.js";
import type { TrainEvent, TrainSummary } from "../runs/events.js";
import { RunFolder } from "../runs/folder.js";
import {
  choiceShape,
  type PreparationChoices,
  preparationShape,
  type RunChoices,
  type RunConfig,
} from "../runs/settings.js";
import { findOrMakeStore, findOrMakeTrainable } from "../store/cache.js";
import { findingsOf } from "../store/preparing/summary.js";
import { openStore, type Store } from "../store/store.js";
import { type Task, type TaskOptions, taskOf } from "../task.js";
import { checkDisk, checkMemory } from "./capacity.js";
import { changeSettings, refuseOtherPictures } from "./changes.js";
import { carryOut } from "./run.js";
import { readChoices, settle } from "./settle.js";

/** The signal ends training after the step under way, with everything saved. */
export interface TrainOptions extends RunChoices, TaskOptions<TrainEvent> {
  /** A folder of pictures, an archive, or a prepared store. */
  readonly data: string;
  /** Folder of the run, which must not hold one yet. Default `runs/<data>-<number>`. */
  readonly run?: string;
  readonly preparation?: PreparationChoices;
}

/** The signal ends training after the step under way, with everything saved. */
export interface ResumeOptions extends RunChoices, TaskOptions<TrainEvent> {
  readonly run: string;
  /** Where the data is now, if not where it was. */
  readonly data?: string;
  /** Let `epochs`, `batchSize` and `learningRate` change. */
  readonly override?: boolean;
}

/** What came of training, and a way to use it. */
export interface TrainResult extends TrainSummary {
  /** Opens the trained network, as `openModel(run)` does. */
  openModel(options?: OpenModelOptions): Promise<OpenModel>;
}

function withModel(summary: TrainSummary): TrainResult {
  return { ...summary, openModel: (options) => openModel(summary.run, options) };
}

const trainOptions = z.object({
  data: path(),
  run: path().optional(),
  ...choiceShape,
  preparation: z.strictObject(preparationShape).optional(),
  ...taskShape<TrainEvent>(),
});
const resumeOptions = z.object({
  run: path(),
  data: path().optional(),
  override: z.boolean().optional(),
  ...choiceShape,
  ...taskShape<TrainEvent>(),
});

/**
 * Trains a network from the start; a folder of pictures is prepared first, once. The run's folder holds everything
 * that came of it, whatever ends this.
 * @throws AlexnetError "invalid-option", "not-found", "unusable-data", "memory" and others for what can't be trained:
 * long work begins only after all that can be checked was. "interrupted" when the signal ended it: `resume` goes on.
 * "not-finite" when numbers overflowed.
 *
 * @example
 * const { run, best } = await train({ data: "photos", epochs: 20, onEvent: ({ kind }) => console.log(kind) });
 */
export async function train(options: TrainOptions): Promise<TrainResult> {
  const given: TrainOptions = parseOptions(trainOptions, options, "train");
  const { data } = given;
  const task = taskOf(given);
  const folder = new RunFolder(given.run ?? nextRunPath(data));
  folder.refuseUnlessEmpty();
  return locked(folder, async () => {
    folder.refuseUnlessEmpty(); // by now
    const choices = await readChoices(given);
    const { pretrained } = choices;
    const size = pretrained === undefined ? undefined : pictureSizeOf(pretrained.model.preprocessing);
    const preparation = { size, ...given.preparation };
    const store = await openStore(await findOrMakeTrainable(data, preparation, task));
    return using(store, async () => {
      for (const problem of findingsOf(store.info, store.path)) task.report({ kind: "warning", problem, hints: [] });
      const engine = await openEngineFor(given);
      return using(engine, async () => {
        const { config, hints } = await settle(choices, { source: data, store, preparation }, engine);
        await checkCapacity(folder, config, store, engine);
        const used = { ...config, precision: engine.description.precision };
        folder.create(used, store.classes);
        return withModel(
          await carryOut({ folder, config: used, store, engine, task, world: alone, hints, pretrained }),
        );
      });
    });
  });
}

/**
 * Goes on with a run where its newest whole checkpoint left it, to the last bit as if it had never stopped (on the
 * same machine, engine and number of threads).
 * @throws AlexnetError as `train`; "classes-differ" or "settings-differ" naming the difference when data, classes,
 * network or recipe are not the run's.
 *
 * @example
 * await resume({ run: "runs/first", epochs: 120, override: true });
 */
export async function resume(options: ResumeOptions): Promise<TrainResult> {
  const given: ResumeOptions = parseOptions(resumeOptions, options, "resume");
  const task = taskOf(given);
  const folder = new RunFolder(given.run);
  const before = folder.readConfig();
  return locked(folder, async (abandonedBy) => {
    if (abandonedBy !== undefined) folder.log(`${abandonedBy} ended without saving`);
    const changed = changeSettings(before, given, given.override === true);
    const store = await openStore(await findPictures(folder, changed, given.data, task));
    return using(store, async () => {
      refuseOtherPictures(changed, store, folder);
      const engine = await openEngineFor(changed);
      return using(engine, async () => {
        const { precision } = engine.description;
        const source = given.data === undefined ? changed.data.source : resolve(given.data);
        const config = { ...changed, precision, data: { ...changed.data, source, store: resolve(store.path) } };
        await checkCapacity(folder, config, store, engine);
        folder.writeConfig(config);
        return withModel(await carryOut({ folder, config, store, engine, task, world: alone }));
      });
    });
  });
}

async function checkCapacity(folder: RunFolder, config: RunConfig, store: Store, engine: Engine): Promise<void> {
  await checkMemory(engine, config.network, config.recipe.batchSize, store.info.pictureSize);
  checkDisk(folder.path, config.network, config.keep);
}

/**
 * The store that a run began with, or one prepared anew from its source.
 * @throws AlexnetError "not-found" where neither is there any more; else as `prepare`
 */
async function findPictures(
  { path }: RunFolder,
  { data }: RunConfig,
  moved: string | undefined,
  task: Task<TrainEvent>,
): Promise<string> {
  if (moved === undefined && existsSync(data.store)) return data.store;
  if (moved === undefined && !existsSync(data.source)) {
    const options = { run: path, data: `path/to/${basename(data.source)}` };
    throw new AlexnetError("not-found", `${path}: its pictures are no longer at ${data.source}`, {
      hint: { advice: "say where they are now", call: "resume", options },
    });
  }
  return findOrMakeStore(moved ?? data.source, data.preparation, task);
}

/** `runs/<data>-<number>`, the first number that is free. */
function nextRunPath(data: string): string {
  for (let number = 1; ; number++) {
    const path = join("runs", `${basename(resolve(data))}-${number}`);
    if (!existsSync(path)) return path;
  }
}

function openEngineFor({ engine, threads, precision }: Pick<RunChoices, "engine"> & MachineSettings): Promise<Engine> {
  return openEngine(engine ?? "auto", { threads: threads ?? undefined, precision: precision ?? undefined });
}

type MachineSettings = { readonly [N in "threads" | "precision"]?: RunConfig[N] };

async function using<R>(resource: { close(): Promise<void> }, use: () => Promise<R>): Promise<R> {
  try {
    return await use();
  } finally {
    await resource.close();
  }
}

/** With the run's lock held; a folder in which no run came about goes away again. */
async function locked<R>(folder: RunFolder, use: (abandonedBy: string | undefined) => Promise<R>): Promise<R> {
  const lock = folder.lock();
  try {
    return await use(lock.abandonedBy);
  } finally {
    lock.release();
    if (!folder.exists) folder.removeLeftovers();
  }
}
