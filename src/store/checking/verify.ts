import { availableParallelism } from "node:os";
import { z } from "zod";
import { type Split, splits } from "../../network/picture.js";
import { parseOptions, taskShape, wholeNumber } from "../../options.js";
import { Pool } from "../../system/threads/pool.js";
import { type ProgressEvent, type Task, type TaskOptions, taskOf, throwIfStopped } from "../../task.js";
import { addSums, noSums, summarise } from "../colour.js";
import { chainRecord, hashContent, hashStatistics, openForReading, toBytes, toJson } from "../database.js";
import { openStore, pictureCount, type Store } from "../store.js";
import type { Verified, VerifyCalls, VerifySetup } from "./verify-worker.js";

export interface VerifyOptions extends TaskOptions<ProgressEvent> {
  /** Decoding threads. Default: one per core. */
  readonly workers?: number;
}

const GROUP = 64; // pictures a worker takes at once
const GROUPS_AHEAD = 3; // per worker
/** JPEG changes pictures a little after their statistics were taken: of 255, and of its square. */
const JPEG_TOLERANCE = { averageOfMean: 2, covariance: 50 } as const;

/**
 * Opens a store, decodes every picture of it, and checks counts, hashes, labels and statistics.
 * @returns what is wrong, in words; empty when nothing is
 * @throws AlexnetError "interrupted" once the signal is given, and as `openStore`.
 *
 * @example
 * const problems = await verify("stores/photos");
 */
export async function verify(path: string, options: VerifyOptions = {}): Promise<readonly string[]> {
  parseOptions(z.object({ ...taskShape<ProgressEvent>(), workers: wholeNumber(1).optional() }), options, "verify");
  const store = await openStore(path);
  try {
    return await verifyStore(store, options, taskOf(options));
  } finally {
    await store.close();
  }
}

/**
 * Decodes every picture of a store and checks counts, hashes, labels and statistics.
 * @returns what is wrong, in words; empty when nothing is
 */
export async function verifyStore(
  store: Store,
  { workers = availableParallelism() }: Pick<VerifyOptions, "workers">,
  task: Task<ProgressEvent>,
): Promise<readonly string[]> {
  const script = new URL("./verify-worker.js", import.meta.url);
  const { encoding, pictureSize } = store.info;
  const setup = { path: store.path, encoding, pictureSize };
  const pool = new Pool<VerifySetup, VerifyCalls>(script, workers, setup, "a thread that verifies pictures");
  const total = pictureCount(store);
  const problems: string[] = [];
  const chains = { train: "", val: "" };
  let sums = noSums(pictureSize);
  let done = 0;
  const settle = (split: Split, { records, problems: found, sums: added }: Verified) => {
    problems.push(...found);
    for (const record of records) chains[split] = chainRecord(chains[split], record);
    if (split === "train") sums = addSums(sums, added);
    done += records.length;
    task.report({ kind: "progress", of: "verifying", done, total });
  };
  try {
    for (const split of splits) {
      const underway: Promise<Verified>[] = [];
      const labels = store.labels(split);
      for (let start = 0; start < labels.length; start += GROUP) {
        throwIfStopped(task, `verifying ${store.path}`);
        const verified = pool.run((thread) => thread.verify(split, start, labels.slice(start, start + GROUP)));
        verified.catch(() => {}); // the failure of the first is the one thrown
        underway.push(verified);
        const first = underway.length > workers * GROUPS_AHEAD ? underway.shift() : undefined;
        if (first !== undefined) settle(split, await first);
      }
      for (const verified of underway) settle(split, await verified);
    }
  } finally {
    await pool.close();
  }
  if (hashContent(chains) !== store.contentHash)
    problems.push("the content is not what was prepared: its hash differs");
  problems.push(...(await findSurplus(store)));
  if (problems.length === 0) problems.push(...compareStatistics(store, summarise(sums, store.count("train"))));
  if (problems.length === 0 && !hasItsStatistics(store))
    problems.push("class names, mean image or colour covariance are not what was prepared: their hash differs");
  return problems;
}

/** What the database holds beyond what the store counts. */
async function findSurplus({ path, info }: Store): Promise<string[]> {
  const database = openForReading(path);
  try {
    const counted: readonly (readonly [folder: string, count: number])[] = [
      ...splits.flatMap((split) =>
        ["picture", "record"].map((kind) => [`${kind}/${split}`, info.counts[split]] as const),
      ),
      ["skipped", info.skipped],
    ];
    return counted.flatMap(([folder, count]) => {
      const found = database.getKeysCount({ start: `${folder}/`, end: `${folder}0` });
      return found > count ? [`${folder}: ${found} entries, not ${count}`] : [];
    });
  } finally {
    await database.close();
  }
}

function hasItsStatistics({ info, classes, mean, covariance }: Store): boolean {
  const hash = hashStatistics(toJson(classes), toBytes(mean), toBytes(covariance));
  return info.statisticsHash === undefined || info.statisticsHash === hash;
}

function compareStatistics(store: Store, recomputed: ReturnType<typeof summarise>): string[] {
  const isRaw = store.info.encoding === "raw";
  const mean = differences(recomputed.mean, store.mean);
  const covariance = differences(recomputed.covariance.flat(), store.covariance);
  const meanAgrees = isRaw ? mean.largest === 0 : mean.average <= JPEG_TOLERANCE.averageOfMean;
  const covarianceAgrees = isRaw ? covariance.largest === 0 : covariance.largest <= JPEG_TOLERANCE.covariance;
  const off = (largest: number) => `${Number(largest.toFixed(3))}`;
  return [
    ...(meanAgrees ? [] : [`the mean image is not that of the pictures (${off(mean.largest)} of 255 off at most)`]),
    ...(covarianceAgrees ? [] : [`the colour covariance is not that of the pictures (${off(covariance.largest)} off)`]),
  ];
}

function differences(a: ArrayLike<number>, b: ArrayLike<number>) {
  let largest = 0;
  let sum = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs((a[i] ?? Number.NaN) - (b[i] ?? Number.NaN));
    if (!(difference <= largest)) largest = difference;
    sum += difference;
  }
  return { largest, average: sum / a.length };
}
