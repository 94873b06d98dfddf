import { createHash } from "node:crypto";
import { workerData } from "node:worker_threads";
import { decodePicture, type JpegDecoder } from "../images/decode.js";
import { describeFault } from "../images/picture.js";
import { sharp } from "../images/sharp.js";
import { findTurbojpeg } from "../images/turbojpeg.js";
import { answerRequests } from "./answer-requests.js";
import type { Split } from "./database.js";
import { type Encoding, encodePicture } from "./encode.js";
import { PictureSummation, type PictureSums } from "./picture-sums.js";
import { readPlace } from "./read-place.js";
import type { Place } from "./sources/source.js";

export interface PrepareWorkerData {
  readonly encoding: Encoding;
  readonly allowSvg: boolean;
  readonly jpegDecoder: JpegDecoder;
}

/** Some consecutive pictures of the plan. */
export type PrepareRequest = readonly { readonly place: Place; readonly split: Split }[];

/** One outcome per picture, in order. */
export interface PrepareResponse {
  readonly outcomes: readonly Outcome[];
  /** Over the training pictures among them. */
  readonly sums: PictureSums;
}

export interface Encoded {
  readonly encoded: Uint8Array;
  /** SHA-256 of it. */
  readonly hash: Uint8Array;
}

export type Outcome = Encoded | { readonly reason: string };

const { encoding, allowSvg, jpegDecoder }: PrepareWorkerData = workerData;
const turbojpeg = jpegDecoder === "libjpeg-turbo" ? findTurbojpeg() : undefined;
const summation = new PictureSummation();
sharp.concurrency(1); // parallel over pictures, not inside one
sharp.cache(false);

answerRequests<PrepareRequest, PrepareResponse>(
  async (request) => {
    const outcomes: Outcome[] = [];
    for (const { place, split } of request) {
      try {
        const picture = await decodePicture(await readPlace(place), { allowSvg, jpegDecoder });
        if (split === "train") summation.add(picture);
        outcomes.push(await encode(picture));
      } catch (error) {
        outcomes.push({ reason: describeFault(error) });
      }
    }
    return { outcomes, sums: summation.take() };
  },
  // Not the encoded pictures: memory that sharp made can't be handed over.
  ({ sums }) => [sums.pixels.buffer as ArrayBuffer],
);

async function encode(picture: Uint8Array): Promise<Encoded> {
  const encoded = await encodePicture(picture, encoding, turbojpeg);
  return { encoded, hash: createHash("sha256").update(encoded).digest() };
}
