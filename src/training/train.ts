import { existsSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import type { Engine, Precision } from "../engine/engine.js";
import type { EngineName } from "../engine/host/engines.js";
import { openEngine } from "../engine/host/open.js";
import { pictureSizeOf } from "../network/picture.js";
import { layerRatesOf } from "../recipes/layer-rates.js";
import type { EventListener, TrainSummary } from "../runs/events.js";
import { RunFolder } from "../runs/folder.js";
import type { RunConfig } from "../runs/settings.js";
import { ensurePrepared, findingsOf } from "../store/preparing/prepare.js";
import { openStore, type Store } from "../store/store.js";
import { readBase } from "./base.js";
import { chosenNetwork, type PreparationChoices, planRun, type RunChoices } from "./plan.js";
import { checkDisk, checkMemory } from "./preflight.js";
import { changedConfig, refuseOtherData } from "./resume.js";
import { runSession } from "./session.js";

interface Watching {
  readonly onEvent?: EventListener;
  /** Ends training after the step under way, with everything saved. */
  readonly signal?: AbortSignal;
}

export interface TrainOptions extends RunChoices, Watching {
  /** A folder of pictures, an archive, or a prepared store. */
  readonly data: string;
  /** Folder of the run, which must not hold one yet. Default `runs/<data>-<number>`. */
  readonly run?: string;
  readonly preparation?: PreparationChoices;
}

export interface ResumeOptions extends RunChoices, Watching {
  readonly run: string;
  /** Where the data is now, if not where it was. */
  readonly data?: string;
  /** Let `epochs`, `batchSize` and `learningRate` change. */
  readonly override?: boolean;
}

/**
 * Trains a network from the start; a folder of pictures is prepared first, once. The run's folder holds everything
 * that came of it, whatever ends this.
 * @throws AlexnetError "interrupted" when the signal ended it: `resume` goes on. "overflow" when the numbers are not
 * finite any more. "data", "network", "engine", "run" and "usage" for what can't be trained on; long work begins only
 * after all that can be checked was.
 */
export async function train(options: TrainOptions): Promise<TrainSummary> {
  const { onEvent = () => {}, signal, data } = options;
  const folder = new RunFolder(options.run ?? nextRunPath(data));
  folder.refuseUnlessEmpty();
  return locked(folder, async () => {
    folder.refuseUnlessEmpty();
    const base = options.from === undefined ? undefined : await readBase(options.from);
    layerRatesOf(chosenNetwork(options, base), options); // before long work: only to see whether it can be
    const pictureSize = base === undefined ? undefined : pictureSizeOf(base.model.preprocessing);
    const preparation = { size: pictureSize, ...options.preparation };
    const path = await ensurePrepared(data, {
      ...preparation,
      onProgress: (progress) => onEvent({ kind: "preparing", ...progress }),
      ...(signal && { signal }),
    });
    return using(await openStore(path), async (store) => {
      for (const message of findingsOf(store.info, path)) onEvent({ kind: "warning", message });
      return using(await openEngineFor(options), async (engine) => {
        const picked = { source: data, store, preparation };
        const config = await planRun(options, picked, engine, base);
        await checkRoom(folder, config, store, engine);
        folder.create(config, store.classes);
        return runSession({ folder, config, store, engine, onEvent, signal, base });
      });
    });
  });
}

/**
 * Goes on with a run where its newest whole checkpoint left it, to the last bit as if it had never stopped (on the
 * same machine, engine and number of threads).
 * @throws AlexnetError as `train`; "run" naming the difference when data, classes, network or recipe are not the run's.
 */
export async function resume(options: ResumeOptions): Promise<TrainSummary> {
  const { onEvent = () => {}, signal } = options;
  const folder = new RunFolder(options.run);
  const before = folder.readConfig();
  return locked(folder, async (abandonedBy) => {
    if (abandonedBy !== undefined) folder.log(`${abandonedBy} ended without saving`);
    const config = changedConfig(before, options);
    const path = await findStore(config, options);
    return using(await openStore(path), async (store) => {
      refuseOtherData(config, store, folder);
      return using(await openEngineFor(config), async (engine) => {
        await checkRoom(folder, config, store, engine);
        folder.writeConfig({ ...config, data: { ...config.data, store: resolve(path) } });
        return runSession({ folder, config, store, engine, onEvent, signal });
      });
    });
  });
}

async function checkRoom(folder: RunFolder, config: RunConfig, store: Store, engine: Engine): Promise<void> {
  await checkMemory(engine, config.network, config.recipe.batchSize, store.info.pictureSize);
  checkDisk(folder.path, config.network, config.keep);
}

/** The store the run began with, or one prepared anew from its source. */
async function findStore({ data }: RunConfig, { data: moved, signal, onEvent }: ResumeOptions): Promise<string> {
  if (moved === undefined && existsSync(data.store)) return data.store;
  return ensurePrepared(moved ?? data.source, {
    ...data.preparation,
    onProgress: (progress) => onEvent?.({ kind: "preparing", ...progress }),
    ...(signal && { signal }),
  });
}

/** `runs/<data>-<number>`, the first number that is free. */
function nextRunPath(data: string): string {
  for (let number = 1; ; number++) {
    const path = join("runs", `${basename(resolve(data))}-${number}`);
    if (!existsSync(path)) return path;
  }
}

interface EngineChoice {
  readonly engine?: EngineName | "auto";
  readonly threads?: number | null;
  readonly precision?: Precision | null;
}

function openEngineFor({ engine = "auto", threads, precision }: EngineChoice): Promise<Engine> {
  return openEngine(engine, { threads: threads ?? undefined, precision: precision ?? undefined });
}

async function using<T extends { close(): Promise<void> }, R>(
  resource: T,
  use: (resource: T) => Promise<R>,
): Promise<R> {
  try {
    return await use(resource);
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
