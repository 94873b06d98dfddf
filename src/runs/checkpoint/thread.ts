import { parentPort, workerData } from "node:worker_threads";
import { AlexnetError, type ErrorCode } from "../../errors.js";
import type { Checkpoint } from "./format.js";
import { writeCheckpoint } from "./write.js";

/** Entry of the thread that writes one checkpoint. */

export interface Request {
  readonly path: string;
  readonly checkpoint: Checkpoint;
}

export type Reply =
  | { readonly bytes: number }
  | { readonly error: { readonly code: ErrorCode; readonly message: string } };

function write({ path, checkpoint }: Request): Reply {
  try {
    return { bytes: writeCheckpoint(path, checkpoint) };
  } catch (error) {
    if (!(error instanceof AlexnetError)) throw error;
    return { error: { code: error.code, message: error.message } };
  }
}

parentPort?.postMessage(write(workerData as Request));
