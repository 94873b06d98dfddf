import { AlexnetError } from "../../errors.js";
import { findTurbojpeg } from "../../images/decode/turbojpeg.js";
import { sharp } from "../../images/sharp.js";
import { pictureBytes, type Split } from "../../network/picture.js";
import { serve } from "../../system/threads/serve.js";
import { keys, openForReading } from "../database.js";
import { decodeStored, type Encoding } from "../encode.js";

/** Entry of a thread that loads pictures of one store. */

export interface LoadSetup {
  /** Of the store. */
  readonly path: string;
  readonly encoding: Encoding;
  readonly pictureSize: number;
}

export interface LoadCalls {
  /**
   * @param samples indices in the split
   * @param slot (samples, size, size, 3), written here
   */
  load(split: Split, samples: Uint32Array, slot: SharedArrayBuffer): Promise<void>;
}

serve<LoadSetup, LoadCalls>(({ path, encoding, pictureSize }) => {
  const bytes = pictureBytes(pictureSize);
  const database = openForReading(path);
  const turbojpeg = findTurbojpeg();
  sharp.concurrency(1);
  sharp.cache(false);

  const read = async (key: string, into: Uint8Array): Promise<void> => {
    const stored = encoding === "raw" ? database.getBinaryFast(key) : database.getBinary(key);
    if (stored === undefined)
      throw new AlexnetError("damaged-file", `${path}: ${key} is missing; remove the store and prepare it again`);
    if (!(await decodeStored(stored, encoding, pictureSize, into, turbojpeg)))
      throw new AlexnetError("damaged-file", `${path}: ${key} is damaged; remove the store and prepare it again`);
  };

  return {
    async load(split, samples, slot) {
      for (const [i, sample] of samples.entries())
        await read(keys.picture(split, sample), new Uint8Array(slot, i * bytes, bytes));
    },
  };
});
