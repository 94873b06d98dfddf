import { z } from "zod";
import type { Engine } from "../engine/engine.js";
import { openEngine } from "../engine/host/open.js";
import { AlexnetError } from "../errors.js";
import { initialise } from "../network/initialise.js";
import { parseOptions, path, positiveNumber, taskShape, wholeNumber } from "../options.js";
import { bits, Purpose } from "../random.js";
import {
  choiceShape,
  type PreparationChoices,
  preparationShape,
  type RunChoices,
  type RunConfig,
} from "../runs/settings.js";
import { findOrMakeTrainable } from "../store/cache.js";
import type { PreparingEvent } from "../store/preparing/options.js";
import { batches } from "../store/reading/batches.js";
import { openStore, type Store } from "../store/store.js";
import { type ProgressEvent, type Task, type TaskOptions, taskOf, throwIfStopped } from "../task.js";
import { checkMemory } from "./capacity.js";
import { batchesOfEpoch, multipliersOf, readChoices, settle } from "./settle.js";

/** The settings of a run that a sweep has too. */
export const sweepSettings = {
  network: true,
  width: true,
  recipe: true,
  batchSize: true,
  seed: true,
  engine: true,
  precision: true,
  threads: true,
  workers: true,
} as const;

export interface SweepOptions extends Pick<RunChoices, keyof typeof sweepSettings>, TaskOptions<SweepEvent> {
  /** A folder of pictures, an archive, or a prepared store. */
  readonly data: string;
  readonly preparation?: PreparationChoices;
  /** The first and the last rate. Default 1e-6 and 1. */
  readonly from?: number;
  readonly to?: number;
  /** Default 100. */
  readonly steps?: number;
}

/** What a sweep tells while it goes on. */
export type SweepEvent = PreparingEvent | ProgressEvent | ({ readonly kind: "rate" } & SweepPoint);

const sweepOptions = z.object({
  data: path(),
  ...z.object(choiceShape).pick(sweepSettings).shape,
  preparation: z.strictObject(preparationShape).optional(),
  from: positiveNumber().optional(),
  to: positiveNumber().optional(),
  steps: wholeNumber(1).optional(),
  ...taskShape<SweepEvent>(),
});

export interface SweepPoint {
  readonly step: number;
  readonly learningRate: number;
  /** Of the batch, and its moving average. */
  readonly loss: number;
  readonly smoothLoss: number;
}

export interface Sweep {
  readonly network: string;
  readonly recipe: string;
  readonly batchSize: number;
  readonly points: readonly SweepPoint[];
  /** A tenth of where the loss was lowest; undefined where it did not fall. */
  readonly suggested: number | undefined;
}

const DIVERGED = 4; // times the lowest loss
const SMOOTHING = 0.9;
const LEAST_FALL = 0.02; // of the first loss

/**
 * Trains fresh parameters for some steps while the rate grows by the same factor each step, and watches the loss
 * (Smith 2017, "Cyclical learning rates for training neural networks", section 3.3). Ends early when the loss shoots
 * up. Nothing is kept.
 * @throws AlexnetError as `train`.
 *
 * @example
 * const { suggested } = await findLearningRate({ data: "photos", width: 0.25 });
 */
export async function findLearningRate(options: SweepOptions): Promise<Sweep> {
  const given: SweepOptions = parseOptions(sweepOptions, options, "findLearningRate");
  const { data, preparation, from: first = 1e-6, to: last = 1, steps = 100, ...chosen } = given;
  if (last <= first)
    throw new AlexnetError("invalid-option", `from ${first} to ${last}: the rates must rise`, {
      hint: { advice: "give one above the first", option: "to" },
    });
  const task = taskOf(given);
  const choices = await readChoices(chosen);
  const store = await openStore(await findOrMakeTrainable(data, preparation ?? {}, task));
  try {
    const engine = await openEngine(given.engine ?? "auto", { threads: given.threads, precision: given.precision });
    try {
      const { config } = await settle(choices, { source: data, store, preparation }, engine);
      await checkMemory(engine, config.network, config.recipe.batchSize, store.info.pictureSize);
      const points = await sweep(engine, store, config, { first, last, steps }, task);
      const { network, recipe } = config;
      return {
        network: network.name,
        recipe: recipe.name,
        batchSize: recipe.batchSize,
        points,
        suggested: suggestRate(points),
      };
    } finally {
      await engine.close();
    }
  } finally {
    await store.close();
  }
}

interface Rates {
  readonly first: number;
  readonly last: number;
  readonly steps: number;
}

async function sweep(
  engine: Engine,
  store: Store,
  config: RunConfig,
  { first, last, steps }: Rates,
  task: Task<SweepEvent>,
): Promise<SweepPoint[]> {
  const { network, recipe, seed } = config;
  const { inputScale, momentum, weightDecay } = recipe;
  const program = await engine.compile(network, {
    batchSize: recipe.batchSize,
    mode: "train",
    preprocessing: { mean: store.mean, scale: [inputScale, inputScale, inputScale] },
    multipliers: multipliersOf(recipe, network),
  });
  await program.write("parameters", initialise(network, recipe.initialisation, seed));
  const points: SweepPoint[] = [];
  let [average, lowest] = [0, Number.POSITIVE_INFINITY];
  for await (const { pictures, views, labels, release } of endlessBatches(store, config)) {
    throwIfStopped(task, "trying rates");
    const step = points.length;
    const learningRate = first * (last / first) ** (step / Math.max(1, steps - 1));
    const options = { learningRate, momentum, weightDecay, seed: bits(seed, Purpose.dropout, 0, step) };
    const { loss } = await program.step({ pictures, views, labels }, options);
    release();
    average = SMOOTHING * average + (1 - SMOOTHING) * loss;
    const smoothLoss = average / (1 - SMOOTHING ** (step + 1));
    if (!Number.isFinite(loss)) break;
    const point = { step: step + 1, learningRate, loss, smoothLoss };
    points.push(point);
    task.report({ kind: "rate", ...point });
    task.report({ kind: "progress", of: "trying rates", done: points.length, total: steps });
    lowest = Math.min(lowest, smoothLoss);
    if (points.length === steps || smoothLoss > DIVERGED * lowest) break;
  }
  return points;
}

/** The batches of one epoch after another. */
async function* endlessBatches(store: Store, config: RunConfig) {
  for (let epoch = 0; ; epoch++) yield* batches(store, batchesOfEpoch(config, epoch));
}

/**
 * A tenth of the rate at which the smooth loss is lowest, from where on it only gets worse (a rule of practice; where
 * the loss falls fastest, on small sets, is where fresh parameters find their scale). Undefined where it hardly falls.
 */
export function suggestRate(points: readonly SweepPoint[]): number | undefined {
  const first = points[0]?.smoothLoss ?? 0;
  const lowest = upToLowest(points).at(-1);
  return lowest !== undefined && first - lowest.smoothLoss > LEAST_FALL * first ? lowest.learningRate / 10 : undefined;
}

/** The points before the smooth loss gets worse for good. */
export function upToLowest(points: readonly SweepPoint[]): readonly SweepPoint[] {
  const lowest = points.reduce((least, { smoothLoss }) => Math.min(least, smoothLoss), Number.POSITIVE_INFINITY);
  return points.slice(0, points.findIndex(({ smoothLoss }) => smoothLoss === lowest) + 1);
}
