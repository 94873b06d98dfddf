import { decodePicture, type JpegDecoder } from "../../images/decode/decode.js";
import { findTurbojpeg } from "../../images/decode/turbojpeg.js";
import { describeFault } from "../../images/picture.js";
import { sharp } from "../../images/sharp.js";
import { pictureBytes, type Split } from "../../network/picture.js";
import { sha256 } from "../../system/sha256.js";
import { moving } from "../../system/threads/protocol.js";
import { serve } from "../../system/threads/serve.js";

import { type Encoding, encodePicture } from "../encode.js";
import { PictureSummation, type PictureSums } from "../picture-sums.js";
import type { Place } from "../sources/source.js";
import { GroupMemory } from "./group-memory.js";
import { PictureBytesReader } from "./picture-bytes.js";

/** Entry of a thread that makes stored pictures of a source's. */

export interface PrepareSetup {
  readonly encoding: Encoding;
  readonly pictureSize: number;
  readonly allowSvg: boolean;
  readonly jpegDecoder: JpegDecoder;
}

export interface PrepareCalls {
  /**
   * Prepares some consecutive pictures of the list.
   * @param memory of a `GroupMemory`: moves here, and back with the answer
   */
  prepare(pictures: readonly PictureToPrepare[], memory: ArrayBuffer): Promise<PreparedGroup>;
  close(): Promise<void>;
}

export interface PictureToPrepare {
  readonly place: Place;
  readonly split: Split;
}

/** One outcome per picture, in order. */
export interface PreparedGroup {
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

serve<PrepareSetup, PrepareCalls>(({ encoding, pictureSize, allowSvg, jpegDecoder }) => {
  const turbojpeg = jpegDecoder === "libjpeg-turbo" ? findTurbojpeg() : undefined;
  const places = new PictureBytesReader();
  const summation = new PictureSummation(pictureSize);
  const picture = new Uint8Array(pictureBytes(pictureSize));
  sharp.concurrency(1); // parallel over pictures, not inside one
  sharp.cache(false);

  return {
    async prepare(pictures, memory) {
      const group = new GroupMemory(pictureSize, memory);
      const outcomes: Outcome[] = [];
      for (const { place, split } of pictures) {
        try {
          await decodePicture(await places.read(place), { size: pictureSize, allowSvg, jpegDecoder }, picture);
          if (split === "train") summation.add(picture);
          outcomes.push(describe(group.add(await encodePicture(picture, pictureSize, encoding, turbojpeg))));
        } catch (error) {
          outcomes.push({ reason: describeFault(error) });
        }
      }
      return moving({ outcomes, sums: summation.take(group.sums), memory }, [memory]);
    },
    close: () => places.close(),
  };
});

function describe(encoded: Uint8Array): Encoded {
  return { encoded, hash: sha256(encoded) };
}
