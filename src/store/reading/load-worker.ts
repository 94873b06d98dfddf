import { workerData } from "node:worker_threads";
import { AlexnetError } from "../../errors.js";
import { findTurbojpeg } from "../../images/decode/turbojpeg.js";
import { sharp } from "../../images/sharp.js";
import { pictureBytes, type Split } from "../../network/picture.js";
import { answerRequests } from "../../system/threads/answer-requests.js";
import { keys, openForReading } from "../database.js";
import { decodeStored, type Encoding } from "../encode.js";

export interface LoadWorkerData {
  readonly path: string;
  readonly encoding: Encoding;
  readonly pictureSize: number;
}

export interface LoadRequest {
  readonly split: Split;
  /** Indices in the split. */
  readonly samples: Uint32Array;
  /** (samples, size, size, 3), written here. */
  readonly slot: SharedArrayBuffer;
}

const { path, encoding, pictureSize }: LoadWorkerData = workerData;
const bytes = pictureBytes(pictureSize);
const database = openForReading(path);
const turbojpeg = findTurbojpeg();
sharp.concurrency(1);
sharp.cache(false);

answerRequests<LoadRequest, null>(async ({ split, samples, slot }) => {
  for (let i = 0; i < samples.length; i++)
    await read(keys.picture(split, samples[i]), new Uint8Array(slot, i * bytes, bytes));
  return null;
});

async function read(key: string, into: Uint8Array): Promise<void> {
  const stored = encoding === "raw" ? database.getBinaryFast(key) : database.getBinary(key);
  if (stored === undefined)
    throw new AlexnetError("damaged-file", `${path}: ${key} is missing; remove the store and prepare it again`);
  if (!(await decodeStored(stored, encoding, pictureSize, into, turbojpeg)))
    throw new AlexnetError("damaged-file", `${path}: ${key} is damaged; remove the store and prepare it again`);
}
