import { sharp } from "../../images/sharp.js";
import { answerRequests } from "../../system/threads/answer-requests.js";
import { type DecodeInput, type DecodeOutcome, decodeFiles } from "./decode-files.js";

export interface DecodeRequest {
  readonly files: readonly DecodeInput[];
  /** (files, 256, 256, 3), written here. */
  readonly slot: SharedArrayBuffer;
}

sharp.concurrency(1); // parallel over pictures, not inside one
sharp.cache(false);

answerRequests<DecodeRequest, readonly DecodeOutcome[]>(({ files, slot }) => decodeFiles(files, slot));
