import { workerData } from "node:worker_threads";
import { findTurbojpeg } from "../../images/decode/turbojpeg.js";
import { sharp } from "../../images/sharp.js";
import { pictureBytes, type Split } from "../../network/picture.js";
import { sha256 } from "../../system/sha256.js";
import { answerRequests } from "../../system/threads/answer-requests.js";
import { decodeRecord, keys, openForReading } from "../database.js";
import { decodeStored, type Encoding } from "../encode.js";
import { PictureSummation, type PictureSums } from "../picture-sums.js";

export interface VerifyWorkerData {
  readonly path: string;
  readonly encoding: Encoding;
  readonly pictureSize: number;
}

/** Some consecutive pictures. */
export interface VerifyRequest {
  readonly split: Split;
  readonly start: number;
  readonly labels: Int32Array;
}

export interface VerifyResponse {
  /** As they are stored; an empty one where there is none. */
  readonly records: readonly Uint8Array[];
  readonly problems: readonly string[];
  readonly sums: PictureSums;
}

const { path, encoding, pictureSize }: VerifyWorkerData = workerData;
const database = openForReading(path);
const turbojpeg = findTurbojpeg();
const summation = new PictureSummation(pictureSize);
sharp.concurrency(1);
sharp.cache(false);

answerRequests<VerifyRequest, VerifyResponse>(
  async ({ split, start, labels }) => {
    const records: Uint8Array[] = [];
    const problems: string[] = [];
    const picture = new Uint8Array(pictureBytes(pictureSize));
    for (let i = 0; i < labels.length; i++) {
      const problem = await check(split, start + i, labels[i], records, picture);
      if (problem !== undefined) problems.push(`${split} picture ${start + i}: ${problem}`);
      else summation.add(picture);
    }
    return { records, problems, sums: summation.take() };
  },
  ({ sums }) => [sums.pixels.buffer as ArrayBuffer],
);

/** Decodes into `picture`. @returns what is wrong, if anything */
async function check(
  split: Split,
  index: number,
  label: number,
  records: Uint8Array[],
  picture: Uint8Array,
): Promise<string | undefined> {
  const record = database.getBinary(keys.record(split, index));
  records.push(record ?? new Uint8Array());
  if (record === undefined) return "its record is missing";
  const stored = database.getBinary(keys.picture(split, index));
  if (stored === undefined) return "missing";
  const { hash, label: recorded } = decodeRecord(record);
  if (recorded !== label) return `labelled ${label}, recorded as ${recorded}`;
  if (Buffer.compare(sha256(stored), hash) !== 0) return "its bytes have changed";
  return (await decodeStored(stored, encoding, pictureSize, picture, turbojpeg)) ? undefined : "can't be decoded";
}
