import type { Engine, LayerTime } from "../engine/engine.js";
import { initialise } from "../network/initialise.js";
import type { Network } from "../network/network.js";
import { classCount } from "../network/transform.js";
import { syntheticBatch, syntheticPreprocessing } from "./synthetic.js";
import { MATRIX_SIZE } from "./throughput.js";

export interface LayerRow extends LayerTime {
  /** Of the whole step's time. */
  readonly share: number;
  /** Of the machine's matrix rate for what multiplies, else of its copying rate. */
  readonly fraction: number;
}

export interface LayerTable {
  readonly rows: readonly LayerRow[];
  /** Of the whole step, and the sum of the rows: how far the table explains the step. */
  readonly stepMilliseconds: number;
  readonly sumMilliseconds: number;
  /** What one thread does alone: operations that are not spread over all, and what lies between operations. */
  readonly serialMilliseconds: number;
  readonly gemmGflops: number;
  /** GB/s read and written. */
  readonly copyRate: number;
}

const COPY_BYTES = 1 << 28;

/** Where a training step's time goes, operation by operation, beside the machine's own rates. */
export async function measureLayers(
  engine: Engine,
  network: Network,
  { batchSize, steps }: { readonly batchSize: number; readonly steps: number },
): Promise<LayerTable> {
  const batch = syntheticBatch(batchSize, network.input.size, classCount(network));
  const preprocessing = syntheticPreprocessing(network.input.size);
  const program = await engine.compile(network, { batchSize, mode: "train", preprocessing });
  await program.write("parameters", initialise(network, { deviation: "he", biases: {} }, 1));
  const options = { learningRate: 1e-4, momentum: 0.9, weightDecay: 0.0005, seed: 1 };
  const { rows, milliseconds } = await program.profile(batch, options, steps);
  await program.close();
  const gemmGflops = (await engine.measureMatrixRate(MATRIX_SIZE)) / 1e9;
  const copyRate = (await engine.measureCopyRate(COPY_BYTES)) / 1e9;
  const fraction = (row: LayerTime): number =>
    row.flops > 0 ? row.flops / row.milliseconds / 1e6 / gemmGflops : row.bytes / row.milliseconds / 1e6 / copyRate;
  const sumMilliseconds = sum(rows.map((row) => row.milliseconds));
  const between = Math.max(0, milliseconds - sumMilliseconds);
  return {
    rows: rows.map((row) => ({ ...row, share: row.milliseconds / milliseconds, fraction: fraction(row) })),
    stepMilliseconds: milliseconds,
    sumMilliseconds,
    serialMilliseconds: sum(rows.map((row) => row.serialMilliseconds)) + between,
    gemmGflops,
    copyRate,
  };
}

/**
 * Images a second with more threads, by Amdahl's law: the serial part stays as it is, and the rest takes as much less time
 * as there are more threads. What can be had at the most: memory is shared, and so is the processor's power.
 */
export function rateWithThreads(
  { stepMilliseconds, serialMilliseconds }: LayerTable,
  batchSize: number,
  threads: { readonly measured: number; readonly wanted: number },
): number {
  const spread = (stepMilliseconds - serialMilliseconds) * (threads.measured / threads.wanted);
  return (1000 * batchSize) / (serialMilliseconds + spread);
}

function sum(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0);
}
