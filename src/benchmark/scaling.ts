import { reductions, type Wire } from "../distributed/cost/collectives.js";
import {
  bestHybridStep,
  computeSeconds,
  type HybridStepCost,
  plainStep,
  type SharedStepCost,
  type StepTimes,
} from "../distributed/cost/step.js";
import { sharedStep } from "../distributed/step.js";
import type { World } from "../distributed/world.js";
import type { Engine, Program } from "../engine/engine.js";
import { initialise } from "../network/initialise.js";
import type { Network } from "../network/network.js";
import type { Batch } from "../network/picture.js";
import { classCount } from "../network/transform.js";
import { syntheticBatch, syntheticPreprocessing } from "./synthetic.js";

export interface ScalingOptions {
  /** Of one rank. */
  readonly batchSize: number;
  /** Timed steps, after two that warm up. */
  readonly steps: number;
}

export interface ScalingMeasurement {
  readonly batchSize: number;
  /** Of the slowest rank, while all compute. */
  readonly times: StepTimes;
  /** Bytes of values that a rank adds to others in a second, by the machine's rate of copying. */
  readonly sumBytesPerSecond: number;
  /** Where there are several ranks: what they took together. */
  readonly together?: RanksTogether;
}

/** What ranks were measured to take for a step that they make together. Times are seconds. */
export interface RanksTogether {
  readonly ranks: number;
  /** Of the slowest rank. */
  readonly step: number;
  /** Of all gradients, exchanged while nothing is computed. */
  readonly exchange: number;
  /** Share of the exchange that no rank waited for. */
  readonly hidden: number;
  /** As the exchange of the least and of the most values shows it; sums are part of its rate. */
  readonly wire: Wire;
  /** What the model says of a step on this wire. */
  readonly predicted: SharedStepCost;
}

const WARM_UP = 2;
const rates = { learningRate: 1e-4, momentum: 0.9, weightDecay: 0.0005 };

/**
 * What a training step takes on one rank and, where there are more, on all of them. Every rank has to call it. Times are the
 * least of all steps: whatever else the machine does makes them longer, never shorter.
 */
export async function measureScaling(
  engine: Engine,
  network: Network,
  world: World,
  { batchSize, steps }: ScalingOptions,
): Promise<ScalingMeasurement> {
  const { size } = network.input;
  const batch = syntheticBatch(batchSize, size, classCount(network));
  const preprocessing = syntheticPreprocessing(size);
  const program = await engine.compile(network, { batchSize, mode: "train", preprocessing, bucketBytes: 1 });
  await program.write("parameters", initialise(network, { deviation: "he", biases: {} }, 1));
  const own: (readonly number[])[] = [];
  const together: number[] = [];
  for (let seed = 0; seed < WARM_UP + steps; seed++) {
    await barrier(world);
    own.push(await timeParts(program, batch, seed));
    if (world.size === 1) continue;
    await barrier(world);
    const start = performance.now();
    const place = { samples: batchSize * world.size, firstSample: batchSize * world.rank };
    await sharedStep(world, program, batch, { ...rates, seed, ...place });
    together.push(secondsSince(start));
  }
  const slowest = (await everybodys(world, leastOf(own.slice(WARM_UP)))).reduce((slow, one) =>
    sumOf(one) > sumOf(slow) ? one : slow,
  );
  const times = timesOf(program, slowest);
  const sumBytesPerSecond = (await engine.measureCopyRate(1 << 26)) / 3; // reads both, writes one
  const measured = { batchSize, times, sumBytesPerSecond };
  if (world.size === 1) {
    await program.close();
    return measured;
  }
  const stepsOfAll = await everybodys(world, [Math.min(...together.slice(WARM_UP))]);
  const step = Math.max(...stepsOfAll.map(sumOf));
  const { exchange, wire } = await measureExchange(world, program, steps);
  await program.close();
  const hidden = Math.min(1, Math.max(0, 1 - (step - computeSeconds(times)) / exchange));
  const predicted = plainStep(times, world.size, wire);
  return { ...measured, together: { ranks: world.size, step, exchange, hidden, wire, predicted } };
}

/** Seconds of one step by parts: forward, each bucket, update. */
async function timeParts(program: Program, batch: Batch, seed: number): Promise<readonly number[]> {
  const times: number[] = [];
  const timed = async (part: Promise<unknown>): Promise<void> => {
    const start = performance.now();
    await part;
    times.push(secondsSince(start));
  };
  await timed(program.forward(batch, { seed }));
  for (const bucket of program.buckets.keys()) await timed(program.backward(bucket));
  await timed(program.update(rates));
  return times;
}

function timesOf({ buckets }: Program, parts: readonly number[]): StepTimes {
  const part = (i: number): number => parts[i] ?? Number.NaN;
  return {
    forward: part(0),
    buckets: buckets.map(({ layers, values }, i) => ({ layers, bytes: values.byteLength, seconds: part(1 + i) })),
    update: part(1 + buckets.length),
  };
}

/** The gradients' exchange while nothing is computed, and what it says of the wire. */
async function measureExchange(
  world: World,
  { buckets }: Program,
  repeats: number,
): Promise<{ readonly exchange: number; readonly wire: Wire }> {
  const sets = [new Float32Array(1), ...buckets.map(({ values }) => values)];
  const least = [];
  for (const values of sets) {
    values.fill(0); // sums of sums would overflow
    const times = [];
    for (let i = 0; i < WARM_UP + repeats; i++) {
      await barrier(world);
      const start = performance.now();
      await world.sum(values);
      times.push(secondsSince(start));
    }
    least.push(Math.min(...times.slice(WARM_UP)));
  }
  const all = await everybodys(world, least);
  const slowest = least.map((_, set) => Math.max(...all.map((times) => times[set] ?? 0)));
  const bytes = sets.map(({ byteLength }) => byteLength);
  const most = bytes.indexOf(Math.max(...bytes));
  return {
    exchange: sumOf(slowest.slice(1)),
    wire: wireBy(world.size, slowest[0] ?? Number.NaN, { bytes: bytes[most] ?? 0, seconds: slowest[most] ?? 0 }),
  };
}

/** The wire on which one value's sum takes `least` seconds, and that of many values as long as it took. Most of that is no latency. */
export function wireBy(
  ranks: number,
  least: number,
  { bytes, seconds }: { readonly bytes: number; readonly seconds: number },
): Wire {
  const latency = least / reductions.doubling(ranks, 0).rounds;
  const { rounds, sentBytes } = reductions.halving(ranks, bytes);
  return { latency, bytesPerSecond: sentBytes / Math.max(seconds - rounds * latency, seconds / 2) };
}

/** Returns once every rank has called it. */
function barrier(world: World): Promise<void> {
  return world.sum(new Float64Array(1));
}

/** Every rank's numbers, by rank. */
async function everybodys(world: World, own: readonly number[]): Promise<readonly (readonly number[])[]> {
  const all = new Float64Array(world.size * own.length);
  all.set(own, world.rank * own.length);
  await world.sum(all);
  return Array.from({ length: world.size }, (_, rank) => [...all.subarray(rank * own.length, (rank + 1) * own.length)]);
}

/** Of each column. */
function leastOf(rows: readonly (readonly number[])[]): readonly number[] {
  return (rows[0] ?? []).map((_, i) => Math.min(...rows.map((row) => row[i] ?? Number.NaN)));
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

function secondsSince(start: number): number {
  return (performance.now() - start) / 1000;
}

/** What so many nodes are expected to do together, each with the batch that was measured. */
export interface ScalingPrediction {
  readonly nodes: number;
  readonly plain: Expectation<SharedStepCost>;
  readonly hybrid: Expectation<HybridStepCost>;
}

type Expectation<Cost> = Cost & {
  readonly imagesPerSecond: number;
  /** Of so many times what one node does. */
  readonly efficiency: number;
};

/** The same step on a node that computes so many images a second: every part takes as much more or less time. */
export function timesAtRate({ times, batchSize }: ScalingMeasurement, imagesPerSecond: number): StepTimes {
  const factor = batchSize / imagesPerSecond / computeSeconds(times);
  return {
    forward: times.forward * factor,
    buckets: times.buckets.map((bucket) => ({ ...bucket, seconds: bucket.seconds * factor })),
    update: times.update * factor,
  };
}

/** One rank on each node; numbers of nodes are the powers of two up to `most`. */
export function predictScaling(
  network: Network,
  { times, batchSize }: Pick<ScalingMeasurement, "times" | "batchSize">,
  wire: Wire,
  most: number,
): readonly ScalingPrediction[] {
  const alone = computeSeconds(times);
  const counts = Array.from({ length: Math.floor(Math.log2(most)) + 1 }, (_, power) => 2 ** power);
  return counts.map((nodes) => {
    const expect = <Cost extends SharedStepCost>(cost: Cost): Expectation<Cost> => ({
      ...cost,
      imagesPerSecond: (nodes * batchSize) / cost.seconds,
      efficiency: alone / cost.seconds,
    });
    return {
      nodes,
      plain: expect(plainStep(times, nodes, wire)),
      hybrid: expect(bestHybridStep(times, { network, batchSize, ranks: nodes }, wire)),
    };
  });
}
