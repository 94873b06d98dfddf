import { findTurbojpeg } from "../../images/decode/turbojpeg.js";
import { sharp } from "../../images/sharp.js";
import { pictureBytes, type Split } from "../../network/picture.js";
import { sha256 } from "../../system/sha256.js";
import { moving } from "../../system/threads/protocol.js";
import { serve } from "../../system/threads/serve.js";
import { decodeRecord, keys, openForReading } from "../database.js";
import { decodeStored, type Encoding } from "../encode.js";
import { PictureSummation, type PictureSums } from "../picture-sums.js";

/** Entry of a thread that checks pictures of one store. */

export interface VerifySetup {
  /** Of the store. */
  readonly path: string;
  readonly encoding: Encoding;
  readonly pictureSize: number;
}

export interface VerifyCalls {
  /** Checks some consecutive pictures, from `start` on, that should have these labels. */
  verify(split: Split, start: number, labels: Int32Array): Promise<Verified>;
}

export interface Verified {
  /** As they are stored; an empty one where there is none. */
  readonly records: readonly Uint8Array[];
  readonly problems: readonly string[];
  readonly sums: PictureSums;
}

serve<VerifySetup, VerifyCalls>(({ path, encoding, pictureSize }) => {
  const database = openForReading(path);
  const turbojpeg = findTurbojpeg();
  const summation = new PictureSummation(pictureSize);
  sharp.concurrency(1);
  sharp.cache(false);

  /** Decodes into `picture`. @returns what is wrong, if anything */
  const check = async (
    split: Split,
    index: number,
    label: number,
    records: Uint8Array[],
    picture: Uint8Array,
  ): Promise<string | undefined> => {
    const record = database.getBinary(keys.record(split, index));
    records.push(record ?? new Uint8Array());
    if (record === undefined) return "its record is missing";
    const stored = database.getBinary(keys.picture(split, index));
    if (stored === undefined) return "missing";
    const { hash, label: recorded } = decodeRecord(record);
    if (recorded !== label) return `labelled ${label}, recorded as ${recorded}`;
    if (Buffer.compare(sha256(stored), hash) !== 0) return "its bytes have changed";
    return (await decodeStored(stored, encoding, pictureSize, picture, turbojpeg)) ? undefined : "can't be decoded";
  };

  return {
    async verify(split, start, labels) {
      const records: Uint8Array[] = [];
      const problems: string[] = [];
      const picture = new Uint8Array(pictureBytes(pictureSize));
      for (const [i, label] of labels.entries()) {
        const problem = await check(split, start + i, label, records, picture);
        if (problem !== undefined) problems.push(`${split} picture ${start + i}: ${problem}`);
        else summation.add(picture);
      }
      const sums = summation.take();
      return moving({ records, problems, sums }, [sums.pixels.buffer]);
    },
  };
});
