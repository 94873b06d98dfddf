import type { Engine } from "../engine/engine.js";
import { initialise } from "../network/initialise.js";
import type { Network } from "../network/network.js";
import { summarise } from "../network/summary.js";
import { classCount } from "../network/transform.js";
import { median, quantile } from "../scoring/quantiles.js";
import { syntheticBatch, syntheticPreprocessing } from "./synthetic.js";

export interface ThroughputOptions {
  readonly mode: "train" | "predict";
  readonly batchSize: number;
  /** Timed steps, after two that warm up. */
  readonly steps: number;
  /** Asks for each step before the one before is answered, as training does; times are those between the answers. */
  readonly ahead?: boolean;
}

export interface Throughput {
  /** "onednn": the engine that ran. */
  readonly engine: string;
  /** Of the median step, end to end: pictures in, parameters updated (or probabilities out). */
  readonly imagesPerSecond: number;
  /** Direct convolution's operations, in units of 10^9 a second. */
  readonly gflops: number;
  /**
   * The machine's own matrix product, in the engine's precision, of size 4096 cubed, measured before and after the steps, and between them
   * where they are not asked for ahead; median.
   */
  readonly gemmGflops: number;
  /** gflops / gemmGflops */
  readonly fraction: number;
  /** Of the whole process, without what the machine's own rate takes to measure. */
  readonly peakMemoryBytes: number;
  readonly batchSize: number;
  /** Of a step. */
  readonly milliseconds: {
    readonly median: number;
    readonly p99: number;
    readonly least: number;
    readonly most: number;
  };
}

/** Of the square matrices whose product is the yardstick. */
export const MATRIX_SIZE = 4096;
const WARM_UP = 2;

/** How fast `network` trains or predicts on synthetic pictures, beside the machine's own rate in the same run. */
export async function measureThroughput(
  engine: Engine,
  network: Network,
  { mode, batchSize, steps, ahead = false }: ThroughputOptions,
): Promise<Throughput> {
  const batch = syntheticBatch(batchSize, network.input.size, classCount(network));
  const program = await engine.compile(network, {
    batchSize,
    mode,
    preprocessing: syntheticPreprocessing(network.input.size),
  });
  await program.write("parameters", initialise(network, { deviation: "he", biases: {} }, 1));
  const run = (seed: number): Promise<unknown> =>
    mode === "train"
      ? program.step(batch, { learningRate: 1e-4, momentum: 0.9, weightDecay: 0.0005, seed })
      : program.predict(batch);
  for (let i = 0; i < WARM_UP; i++) await run(i);
  const peakMemoryBytes = process.resourceUsage().maxRSS * 1024; // nothing is allocated later but the yardstick's matrices

  const rates = [await engine.measureMatrixRate(MATRIX_SIZE)];
  const times: number[] = [];
  let next = ahead ? run(WARM_UP) : undefined;
  let start = performance.now();
  for (let i = 0; i < steps; i++) {
    const current = next ?? run(WARM_UP + i);
    if (ahead) next = run(WARM_UP + i + 1);
    await current;
    times.push(performance.now() - start);
    if (i === Math.floor(steps / 2) && !ahead) rates.push(await engine.measureMatrixRate(MATRIX_SIZE));
    start = performance.now();
  }
  await next;
  rates.push(await engine.measureMatrixRate(MATRIX_SIZE));
  await program.close();

  const { forwardFlops, trainingFlops } = summarise(network);
  const milliseconds = {
    median: median(times),
    p99: quantile(times, 0.99),
    least: Math.min(...times),
    most: Math.max(...times),
  };
  const imagesPerSecond = (1000 * batchSize) / milliseconds.median;
  const gflops = (imagesPerSecond * (mode === "train" ? trainingFlops : forwardFlops)) / 1e9;
  const gemmGflops = median(rates) / 1e9;
  return {
    engine: engine.description.engine,
    imagesPerSecond,
    gflops,
    gemmGflops,
    fraction: gflops / gemmGflops,
    peakMemoryBytes,
    batchSize,
    milliseconds,
  };
}
