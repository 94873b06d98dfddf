import { sharp } from "../../images/sharp.js";
import { serve } from "../../system/threads/serve.js";
import { type DecodeInput, type DecodeOutcome, decodeFiles } from "./decode-files.js";

/** Entry of a thread that decodes picture files. */

export interface DecodeCalls {
  /** @param slot (files, size, size, 3), written here */
  decode(files: readonly DecodeInput[], size: number, slot: SharedArrayBuffer): Promise<readonly DecodeOutcome[]>;
}

serve<undefined, DecodeCalls>(() => {
  sharp.concurrency(1); // parallel over pictures, not inside one
  sharp.cache(false);
  return { decode: decodeFiles };
});
