import { sharp } from "../../images/sharp.js";
import { answerRequests } from "../../system/threads/answer-requests.js";
import { type DecodeOutcome, decodeFiles } from "./decode-files.js";

export interface DecodeRequest {
  readonly files: readonly string[];
  /** Height and width of the pictures to be made. */
  readonly size: number;
  /** (files, size, size, 3), written here. */
  readonly slot: SharedArrayBuffer;
}

sharp.concurrency(1); // parallel over pictures, not inside one
sharp.cache(false);

answerRequests<DecodeRequest, readonly DecodeOutcome[]>(({ files, size, slot }) => decodeFiles(files, size, slot));
