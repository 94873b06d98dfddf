import { workerData } from "node:worker_threads";
import { decodePicture, type JpegDecoder } from "../../images/decode/decode.js";
import { findTurbojpeg } from "../../images/decode/turbojpeg.js";
import { describeFault } from "../../images/picture.js";
import { sharp } from "../../images/sharp.js";
import { pictureBytes, type Split } from "../../network/picture.js";
import { sha256 } from "../../system/sha256.js";
import { answerRequests } from "../../system/threads/answer-requests.js";

import { type Encoding, encodePicture } from "../encode.js";
import { PictureSummation, type PictureSums } from "../picture-sums.js";
import type { Place } from "../sources/source.js";
import { GroupMemory } from "./group-memory.js";
import { readPlace } from "./read-place.js";

export interface PrepareWorkerData {
  readonly encoding: Encoding;
  readonly pictureSize: number;
  readonly allowSvg: boolean;
  readonly jpegDecoder: JpegDecoder;
}

/** Some consecutive pictures of the plan. */
export interface PrepareRequest {
  readonly pictures: readonly { readonly place: Place; readonly split: Split }[];
  /** Of a `GroupMemory`: handed over, and back with the response. */
  readonly memory: ArrayBuffer;
}

/** One outcome per picture, in order. */
export interface PrepareResponse {
  readonly outcomes: readonly Outcome[];
  /** Over the training pictures among them. */
  readonly sums: PictureSums;
  /** Where the encoded pictures and the sums of pixels lie. */
  readonly memory: ArrayBuffer;
}

export interface Encoded {
  readonly encoded: Uint8Array;
  /** SHA-256 of it. */
  readonly hash: Uint8Array;
}

export type Outcome = Encoded | { readonly reason: string };

const { encoding, pictureSize, allowSvg, jpegDecoder }: PrepareWorkerData = workerData;
const turbojpeg = jpegDecoder === "libjpeg-turbo" ? findTurbojpeg() : undefined;
const summation = new PictureSummation(pictureSize);
const picture = new Uint8Array(pictureBytes(pictureSize));
sharp.concurrency(1); // parallel over pictures, not inside one
sharp.cache(false);

answerRequests<PrepareRequest, PrepareResponse>(
  async ({ pictures, memory }) => {
    const group = new GroupMemory(pictureSize, memory);
    const outcomes: Outcome[] = [];
    for (const { place, split } of pictures) {
      try {
        await decodePicture(await readPlace(place), { size: pictureSize, allowSvg, jpegDecoder }, picture);
        if (split === "train") summation.add(picture);
        outcomes.push(describe(group.add(await encodePicture(picture, pictureSize, encoding, turbojpeg))));
      } catch (error) {
        outcomes.push({ reason: describeFault(error) });
      }
    }
    return { outcomes, sums: summation.take(group.sums), memory };
  },
  ({ memory }) => [memory],
);

function describe(encoded: Uint8Array): Encoded {
  return { encoded, hash: sha256(encoded) };
}
