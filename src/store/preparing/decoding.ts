import { availableParallelism } from "node:os";
import { Pool } from "../../system/threads/pool.js";
import { moving } from "../../system/threads/protocol.js";
import { type Task, throwIfStopped } from "../../task.js";
import type { Source } from "../sources/source.js";
import { GROUP, GroupMemory } from "./group-memory.js";
import { type Listed, readListing } from "./listing.js";
import type { PreparingEvent } from "./options.js";
import type { PrepareCalls, PrepareSetup } from "./worker.js";
import type { DecodedGroup, StoreWriter } from "./writing.js";

const COMMIT = 8; // groups written in one transaction
const GROUPS_AHEAD = 3; // per worker; bounds the memory however slow a picture or the disk is
const SOURCE_BYTES = 400e6; // kept of a source by all workers
const SPARE_WORKERS = 1; // beyond the cores: a worker has nothing to do while sharp's threads decode for it

/** One more than cores, but fewer where what each keeps of the source would be too much together. */
export function suitableWorkers({ bytesPerThread = 0 }: Source): number {
  const fitting = Math.floor(SOURCE_BYTES / Math.max(1, bytesPerThread));
  return Math.max(1, Math.min(availableParallelism() + SPARE_WORKERS, fitting));
}

/**
 * Decodes all listed pictures that are not in the store yet, and writes them in their order.
 * @throws AlexnetError "interrupted" once the signal is given; what was decoded by then is in the store.
 */
export async function decodeListed(writer: StoreWriter, workers: number, task: Task<PreparingEvent>): Promise<void> {
  const { job } = writer;
  const { pictureSize } = job.request;
  const setup: PrepareSetup = {
    encoding: job.encoding,
    pictureSize,
    allowSvg: job.request.allowSvg,
    jpegDecoder: job.jpegDecoder,
  };
  const script = new URL("./worker.js", import.meta.url);
  const pool = new Pool<PrepareSetup, PrepareCalls>(script, workers, setup, "a thread that prepares pictures");
  const underway: Promise<DecodedGroup>[] = [];
  let groups: DecodedGroup[] = [];
  const spare: ArrayBuffer[] = []; // memory of groups that are written
  const commit = () => {
    writer.commit(groups);
    spare.push(...groups.map(({ memory }) => memory));
    groups = [];
    task.report(progressOf(writer, "preparing"));
  };
  const settle = async (keep: number) => {
    for (let first = underway[0]; first !== undefined && underway.length > keep; first = underway[0]) {
      groups.push(await first);
      underway.shift();
      if (groups.length === COMMIT) commit();
    }
  };
  try {
    task.report(progressOf(writer, "preparing"));
    for (const listed of readListing(writer.file, job.plan, writer.next, GROUP)) {
      if (task.signal.aborted) break;
      underway.push(decodeGroup(pool, listed, spare.pop() ?? new GroupMemory(pictureSize).buffer));
      await settle(workers * GROUPS_AHEAD);
    }
    await settle(0);
    commit();
    throwIfStopped(task, writer.file.path);
  } finally {
    for (const group of underway) group.catch(() => {}); // the failure of the first is the one thrown
    await pool.close();
  }
}

async function decodeGroup(
  pool: Pool<PrepareSetup, PrepareCalls>,
  listed: readonly Listed[],
  spare: ArrayBuffer,
): Promise<DecodedGroup> {
  const pictures = listed
    .filter((one) => one !== undefined && "place" in one)
    .map(({ place, split }) => ({ place, split }));
  const answer = await pool.run((thread) => thread.prepare(pictures, moving(spare, [spare])));
  const decoded = answer.outcomes.values();
  const outcomes = listed.map((one) => {
    if (one === undefined || "reason" in one) return one;
    const { value: outcome = { reason: "not decoded" } } = decoded.next();
    return "reason" in outcome ? { name: one.name, ...outcome } : { picture: one, ...outcome };
  });
  return { outcomes, sums: answer.sums, memory: answer.memory };
}

/** How far a store is, as an event. */
export function progressOf({ next, skipped, job }: StoreWriter, phase: PreparingEvent["phase"]): PreparingEvent {
  return { kind: "preparing", phase, done: next, total: job.plan.pictures, skipped };
}
