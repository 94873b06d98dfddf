import { availableParallelism } from "node:os";
import { AlexnetError } from "../errors.js";
import { chainRecord, hashContent, type Split, splits } from "./database.js";
import { addSums, noSums, summarise } from "./statistics.js";
import type { Store } from "./store.js";
import type { VerifyRequest, VerifyResponse, VerifyWorkerData } from "./verify-worker.js";
import { WorkerPool } from "./worker-pool.js";

export interface VerifyOptions {
  readonly workers?: number;
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

const GROUP = 64; // pictures a worker takes at once
const GROUPS_AHEAD = 3; // per worker
/** Statistics are of the pictures before JPEG changed them a little. In units of 0 to 255, and of their square. */
const JPEG_TOLERANCE = { mean: 2, covariance: 50 } as const;
const RAW_TOLERANCE = { mean: 0, covariance: 0 } as const;

/**
 * Decodes every picture of a store and checks counts, hashes, labels and statistics.
 * @returns what is wrong, in words; empty when nothing is
 */
export async function verifyStore(store: Store, options: VerifyOptions = {}): Promise<string[]> {
  const workers = options.workers ?? availableParallelism();
  const workerData: VerifyWorkerData = { path: store.path, encoding: store.info.encoding };
  const script = new URL("./verify-worker.js", import.meta.url);
  const pool = new WorkerPool<VerifyRequest, VerifyResponse>(script, workers, workerData);
  const total = splits.reduce((sum, split) => sum + store.count(split), 0);
  const problems: string[] = [];
  const chains = { train: "", val: "" };
  let sums = noSums();
  let done = 0;
  const settle = (split: Split, { records, problems: found, pixels, products }: VerifyResponse) => {
    problems.push(...found);
    for (const record of records) chains[split] = chainRecord(chains[split], record);
    if (split === "train") sums = addSums(sums, pixels, products);
    done += records.length;
    options.onProgress?.(done, total);
  };
  try {
    for (const split of splits) {
      const underway: Promise<VerifyResponse>[] = [];
      for (const request of requests(store, split)) {
        if (options.signal?.aborted) throw new AlexnetError("interrupted", `${store.path}: verifying stopped`);
        underway.push(pool.run(request));
        if (underway.length > workers * GROUPS_AHEAD)
          settle(split, await (underway.shift() as Promise<VerifyResponse>));
      }
      for (const response of underway) settle(split, await response);
    }
  } finally {
    await pool.close();
  }
  if (hashContent(chains) !== store.contentHash)
    problems.push("the content is not what was prepared: its hash differs");
  if (problems.length === 0) problems.push(...compareStatistics(store, summarise(sums, store.count("train"))));
  return problems;
}

function* requests(store: Store, split: Split): Generator<VerifyRequest> {
  const labels = store.labels(split);
  for (let start = 0; start < labels.length; start += GROUP)
    yield { split, start, labels: labels.slice(start, start + GROUP) };
}

function compareStatistics(store: Store, recomputed: ReturnType<typeof summarise>): string[] {
  const tolerance = store.info.encoding === "raw" ? RAW_TOLERANCE : JPEG_TOLERANCE;
  const mean = largestDifference(recomputed.mean, store.mean);
  const covariance = largestDifference(recomputed.covariance.flat(), store.covariance);
  return [
    ...(mean <= tolerance.mean ? [] : [`the mean image is up to ${mean.toFixed(3)} from that of the pictures`]),
    ...(covariance <= tolerance.covariance
      ? []
      : [`the colour covariance is up to ${covariance.toFixed(3)} from that of the pictures`]),
  ];
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i] - b[i]);
    if (!(difference <= largest)) largest = difference;
  }
  return largest;
}
