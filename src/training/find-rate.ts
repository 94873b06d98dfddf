import type { Engine } from "../engine/engine.js";
import { openEngine } from "../engine/host/open.js";
import { AlexnetError } from "../errors.js";
import { initialise } from "../network/initialise.js";
import { bits, Purpose } from "../random.js";
import type { RunConfig } from "../runs/settings.js";
import { ensurePrepared } from "../store/preparing/prepare.js";
import { batches } from "../store/reading/batches.js";
import { openStore, type Store } from "../store/store.js";
import { multipliersOf, type PreparationChoices, planRun, type RunChoices, trainingViews } from "./plan.js";
import { checkMemory } from "./preflight.js";

export interface SweepOptions
  extends Pick<
    RunChoices,
    "network" | "width" | "recipe" | "batchSize" | "seed" | "engine" | "threads" | "precision" | "workers"
  > {
  /** A folder of pictures, an archive, or a prepared store. */
  readonly data: string;
  readonly preparation?: PreparationChoices;
  /** The first and the last rate. Default 1e-6 and 1. */
  readonly from?: number;
  readonly to?: number;
  /** Default 100. */
  readonly steps?: number;
  readonly onStep?: (point: SweepPoint, steps: number) => void;
  readonly signal?: AbortSignal;
}

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
 */
export async function findLearningRate(options: SweepOptions): Promise<Sweep> {
  const { data, preparation, threads, precision } = options;
  const store = await openStore(await ensurePrepared(data, preparation));
  try {
    const engine = await openEngine(options.engine ?? "auto", { threads, precision });
    try {
      const config = await planRun({ ...options, from: undefined }, { source: data, store, preparation }, engine);
      await checkMemory(engine, config.network, config.recipe.batchSize, store.info.pictureSize);
      const points = await sweep(engine, store, config, options);
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

async function sweep(engine: Engine, store: Store, config: RunConfig, options: SweepOptions): Promise<SweepPoint[]> {
  const { from = 1e-6, to = 1, steps = 100, onStep, signal } = options;
  if (!(from > 0 && to > from))
    throw new AlexnetError("invalid-option", `from ${from} to ${to}: give two rising rates above 0`);
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
    const step = points.length;
    const learningRate = from * (to / from) ** (step / Math.max(1, steps - 1));
    const options = { learningRate, momentum, weightDecay, seed: bits(seed, Purpose.dropout, 0, step) };
    const { loss } = await program.step({ pictures, views, labels }, options);
    release();
    average = SMOOTHING * average + (1 - SMOOTHING) * loss;
    const smoothLoss = average / (1 - SMOOTHING ** (step + 1));
    if (!Number.isFinite(loss)) break;
    const point = { step: step + 1, learningRate, loss, smoothLoss };
    points.push(point);
    onStep?.(point, steps);
    lowest = Math.min(lowest, smoothLoss);
    if (points.length === steps || smoothLoss > DIVERGED * lowest) break;
    if (signal?.aborted) throw new AlexnetError("interrupted", "stopped; nothing was kept", { cause: signal.reason });
  }
  return points;
}

/** One epoch's batches after the other's. */
async function* endlessBatches(store: Store, { network, recipe, seed, workers }: RunConfig) {
  for (let epoch = 0; ; epoch++)
    yield* batches(store, {
      split: "train",
      views: trainingViews(recipe),
      batchSize: recipe.batchSize,
      cropSize: network.input.size,
      seed,
      epoch,
      shuffle: true,
      colourDeviation: recipe.colourDeviation,
      ...(workers !== null && { workers }),
    });
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
