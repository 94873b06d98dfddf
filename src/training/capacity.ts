import { statfsSync } from "node:fs";
import { freemem } from "node:os";
import type { Engine } from "../engine/engine.js";
import { AlexnetError } from "../errors.js";
import type { Network } from "../network/network.js";
import { parameterCount } from "../network/parameters.js";
import { pictureBytes } from "../network/picture.js";
import { byteSize } from "../text.js";

/** Memory that this process may still take, in bytes: what the machine has free, within the process's own limit. */
export function availableMemory(): number {
  const limit = process.constrainedMemory();
  const free = freemem();
  if (limit === undefined || limit === 0 || limit > Number.MAX_SAFE_INTEGER) return free;
  return Math.min(free, limit - process.memoryUsage.rss());
}

/** Bytes that training holds: the network's program, and the copy that a checkpoint is written from. */
export async function trainingMemory(
  engine: Engine,
  network: Network,
  batchSize: number,
  pictureSize: number,
): Promise<number> {
  const program = await engine.estimateMemory(network, { batchSize, mode: "train" });
  const checkpoint = checkpointBytes(network);
  const pictures = 4 * batchSize * pictureBytes(pictureSize); // batches read ahead
  return program + checkpoint + pictures;
}

/** The largest batch size of `most`, `most` / 2, `most` / 4, … that fits into memory. */
export async function fittingBatchSize(
  engine: Engine,
  network: Network,
  most: number,
  pictureSize: number,
): Promise<number> {
  const available = availableMemory();
  for (let batchSize = most; batchSize >= 1; batchSize = Math.floor(batchSize / 2))
    if ((await trainingMemory(engine, network, batchSize, pictureSize)) <= available) return batchSize;
  const least = await trainingMemory(engine, network, 1, pictureSize);
  throw new AlexnetError(
    "memory",
    `memory: even batches of one picture take ${byteSize(least)}, and ${byteSize(available)} are free`,
    { hint: narrower },
  );
}

const narrower = { advice: "give a narrower network", option: "width" } as const;

/** @throws AlexnetError "memory" with the numbers when training would not fit. */
export async function checkMemory(
  engine: Engine,
  network: Network,
  batchSize: number,
  pictureSize: number,
): Promise<void> {
  const needed = await trainingMemory(engine, network, batchSize, pictureSize);
  const available = availableMemory();
  if (needed > available)
    throw new AlexnetError(
      "memory",
      `memory: training with batches of ${batchSize} takes ${byteSize(needed)}, and ${byteSize(available)} are free`,
      { hint: [{ advice: "take the largest batch that fits", option: "batchSize", value: "auto" }, narrower] },
    );
}

/** @throws AlexnetError "disk" with the numbers when the checkpoints would not fit. */
export function checkDisk(folder: string, network: Network, keep: number): void {
  const needed = (keep + 2) * checkpointBytes(network); // the best, and the one being written
  const { bavail, bsize } = statfsSync(folder);
  const available = bavail * bsize;
  if (needed > available)
    throw new AlexnetError(
      "disk",
      `${folder}: the run's checkpoints take ${byteSize(needed)}, and ${byteSize(available)} are free there`,
      {
        hint: [
          { advice: "make room, or choose another folder", option: "run" },
          { advice: "keep fewer", option: "keep" },
        ],
      },
    );
}

function checkpointBytes(network: Network): number {
  return 2 * 4 * parameterCount(network);
}
