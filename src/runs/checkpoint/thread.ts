import { serve } from "../../system/threads/serve.js";
import type { Checkpoint } from "./format.js";
import { writeCheckpoint } from "./write.js";

/** Entry of the thread that writes one checkpoint. */

export interface CheckpointCalls {
  /** The checkpoint's arrays move here. @returns and @throws as `writeCheckpoint` */
  write(path: string, checkpoint: Checkpoint): number;
}

serve<undefined, CheckpointCalls>(() => ({ write: writeCheckpoint }));
