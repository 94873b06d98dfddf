import type { Network } from "../../network/network.js";
import { inferShapes, volume } from "../../network/shapes.js";
import { allGather, allReduce, type Exchange, reduceScatter, secondsOf, type Wire } from "./collectives.js";

/** What a rank computes in a training step, measured without any exchange. Times are seconds. */
export interface StepTimes {
  readonly forward: number;
  /** In the order of the backward pass. None has both fully connected layers and others. */
  readonly buckets: readonly BucketTime[];
  readonly update: number;
}

export interface BucketTime {
  readonly layers: readonly string[];
  readonly bytes: number;
  readonly seconds: number;
}

/** A step that ranks make together, as it is expected to be. */
export interface SharedStepCost {
  readonly seconds: number;
  /** Of all exchanges, whether anybody waits for them or not. */
  readonly exchangeSeconds: number;
  /** Share of the exchanges that nobody waits for. */
  readonly hidden: number;
  /** By one rank. */
  readonly sentBytes: number;
}

export interface HybridStepCost extends SharedStepCost {
  /** Ranks that hold the fully connected layers together. */
  readonly group: number;
}

const VALUE = 4; // bytes of a float32
const COUNTS = 3 * 8; // bytes of the loss and two counts, which ranks add up too

/** What one rank takes alone. */
export function computeSeconds({ forward, buckets, update }: StepTimes): number {
  return forward + sumOf(buckets, ({ seconds }) => seconds) + update;
}

/**
 * Every rank has all layers and its share of the batch; all gradients are summed, a bucket's while the next bucket's are
 * computed, as `sharedStep` does it.
 *
 *     compute  | forward | fc8 | fc7 | fc6 | conv5 | … | conv1 |           | update |
 *     wire               .     | fc8 | fc7      | fc6             | conv5 … |
 */
export function plainStep(times: StepTimes, ranks: number, wire: Wire): SharedStepCost {
  const line = new Timeline(wire);
  line.compute(times.forward);
  for (const { seconds, bytes } of times.buckets) {
    line.compute(seconds);
    line.exchangeMeanwhile(allReduce(ranks, bytes, wire));
  }
  return end(line, times.update, times, ranks, wire);
}

/**
 * Convolutions as in `plainStep`, but groups of ranks hold the fully connected layers together, each rank some of the
 * outputs of each: "One weird trick for parallelizing convolutional neural networks" (Krizhevsky, 2014), section 4,
 * scheme (a). What goes into a layer is gathered from the group, and its gradient summed for those it came from: nothing
 * is computed meanwhile. A rank has fewer outputs of more samples to compute, for which it is taken to need as long. The
 * gradients of its outputs are summed with those of the ranks that hold the same outputs in the other groups.
 */
export function hybridStep(
  times: StepTimes,
  { network, batchSize, ranks, group }: { network: Network; batchSize: number; ranks: number; group: number },
  wire: Wire,
): HybridStepCost {
  const layers = fullyConnected(network);
  const isConnected = ({ layers: [name = ""] }: BucketTime): boolean => layers.has(name);
  const connected = times.buckets.filter(isConnected);
  const line = new Timeline(wire);
  line.compute(times.forward);
  for (const { inputs } of layers.values()) line.exchange(allGather(group, batchSize * inputs * VALUE));
  const logits = [...layers.values()].at(-1)?.outputs ?? 0;
  line.exchange(allGather(group, batchSize * logits * VALUE));
  for (const { seconds, layers: names } of connected) {
    line.compute(seconds);
    for (const name of names) line.exchange(reduceScatter(group, batchSize * (layers.get(name)?.inputs ?? 0) * VALUE));
  }
  for (const { bytes } of connected) line.exchangeMeanwhile(allReduce(ranks / group, bytes / group, wire));
  for (const bucket of times.buckets.filter((one) => !isConnected(one))) {
    line.compute(bucket.seconds);
    line.exchangeMeanwhile(allReduce(ranks, bucket.bytes, wire));
  }
  const all = sumOf(times.buckets, ({ bytes }) => bytes);
  const spared = sumOf(connected, ({ bytes }) => bytes) * (1 - 1 / group);
  return { group, ...end(line, times.update * (1 - spared / all), times, ranks, wire) };
}

/** By the size of groups that makes the quickest step: 1, which splits nothing, is one of them. */
export function bestHybridStep(
  times: StepTimes,
  { network, batchSize, ranks }: { network: Network; batchSize: number; ranks: number },
  wire: Wire,
): HybridStepCost {
  const narrowest = Math.min(...[...fullyConnected(network).values()].map(({ outputs }) => outputs));
  const groups = divisorsOf(ranks).filter((group) => group <= narrowest);
  const steps = groups.map((group) => hybridStep(times, { network, batchSize, ranks, group }, wire));
  return steps.reduce((best, step) => (step.seconds < best.seconds ? step : best));
}

/** Ends a step: the loss of all ranks decides whether they update. */
function end(line: Timeline, update: number, times: StepTimes, ranks: number, wire: Wire): SharedStepCost {
  line.waitForWire();
  line.exchange(allReduce(ranks, COUNTS, wire));
  line.compute(update);
  const { seconds, exchangeSeconds, sentBytes } = line;
  const computed = computeSeconds(times) - times.update + update;
  const waited = seconds - computed;
  return {
    seconds,
    exchangeSeconds,
    hidden: exchangeSeconds === 0 ? 1 : Math.max(0, 1 - waited / exchangeSeconds),
    sentBytes,
  };
}

/** The times at which a rank's computing and its wire are free again, from the beginning of the step. */
class Timeline {
  readonly #wire: Wire;
  /** When what is computed so far is done. */
  #computed = 0;
  #wireFree = 0;
  exchangeSeconds = 0;
  sentBytes = 0;

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  get seconds(): number {
    return this.#computed;
  }

  compute(seconds: number): void {
    this.#computed += seconds;
  }

  /** Begins once what it needs is computed and the exchange before is done; computing goes on. */
  exchangeMeanwhile(exchange: Exchange): void {
    const seconds = secondsOf(exchange, this.#wire);
    this.#wireFree = Math.max(this.#computed, this.#wireFree) + seconds;
    this.exchangeSeconds += seconds;
    this.sentBytes += exchange.sentBytes;
  }

  /** What comes next needs what is exchanged. */
  exchange(exchange: Exchange): void {
    this.exchangeMeanwhile(exchange);
    this.waitForWire();
  }

  waitForWire(): void {
    this.#computed = Math.max(this.#computed, this.#wireFree);
  }
}

/** Values that go into each fully connected layer of one sample, and that come out, by name. */
function fullyConnected(network: Network): ReadonlyMap<string, { readonly inputs: number; readonly outputs: number }> {
  return new Map(
    inferShapes(network).flatMap(({ layer, input, output }) =>
      layer.kind === "fully-connected" ? [[layer.name, { inputs: volume(input), outputs: volume(output) }]] : [],
    ),
  );
}

function divisorsOf(count: number): readonly number[] {
  return Array.from({ length: count }, (_, i) => i + 1).filter((divisor) => count % divisor === 0);
}

function sumOf<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((sum, item) => sum + value(item), 0);
}
