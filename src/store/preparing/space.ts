import { statfsSync } from "node:fs";
import { AlexnetError } from "../../errors.js";
import { DEFAULT_PICTURE_SIZE, pictureBytes } from "../../network/picture.js";

import { byteSize } from "../../text.js";
import type { Encoding } from "../encode.js";

/** What a picture takes in the database, in whole pages of 4096 bytes; of JPEGs on average. */
function storedBytes(encoding: Encoding, size: number): number {
  if (encoding === "raw") return pictureBytes(size) + 5_000;
  return Math.round((24_000 * pictureBytes(size)) / pictureBytes(DEFAULT_PICTURE_SIZE)) + 5_000;
}

const AS_JPEG = { advice: "keep them as JPEGs", option: "encoding", value: "jpeg" } as const;
const ELSEWHERE = { advice: "choose a folder on another disk", option: "out" } as const;
const RAW_SHARE = 1 / 4; // of the free disk that a set may take for "auto" to keep it raw

export function freeBytes(path: string): number {
  const { bavail, bsize } = statfsSync(path);
  return bavail * bsize;
}

export function chooseEncoding(asked: Encoding | "auto", size: number, pictures: number, free: number): Encoding {
  if (asked !== "auto") return asked;
  return pictures * storedBytes("raw", size) <= free * RAW_SHARE ? "raw" : "jpeg";
}

/** @throws AlexnetError "disk" when so many more pictures don't fit. */
export function requireSpace(encoding: Encoding, size: number, pictures: number, free: number, out: string): void {
  const needed = pictures * storedBytes(encoding, size);
  if (needed <= free) return;
  throw new AlexnetError(
    "disk",
    `${out}: ${pictures} pictures as ${encoding} need about ${byteSize(needed)}, ${byteSize(free)} are free`,
    { hint: encoding === "raw" ? [AS_JPEG, ELSEWHERE] : ELSEWHERE },
  );
}
