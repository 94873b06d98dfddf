import type { Sharp } from "sharp";
import { cropBox, fitShorterSide, PIXEL_LIMIT } from "../geometry.js";
import { resample } from "../resample.js";
import { sharp } from "../sharp.js";
import { readNetpbm } from "./netpbm.js";
import type { FileKind } from "./recognise.js";

/** The longest that decoding one picture may take: no honest one comes near, some are made to hang a decoder. */
export const DECODING_SECONDS = 30;
const MARGIN = 4; // source pixels around a crop that a Lanczos3 filter looks at when enlarging

/** A form of a kind of file that is read otherwise. */
export class NotRead extends Error {}

/** Writes whatever sharp reads as RGB into `picture`, (size, size, 3). @throws what sharp throws. */
export async function decodeAny(bytes: Uint8Array, kind: FileKind, picture: Uint8Array, size: number): Promise<void> {
  const image = open(bytes, kind);
  const { autoOrient, depth } = await image.metadata();
  if (depth === "float" || depth === "double") throw new NotRead("floating-point numbers");
  const { width, height } = autoOrient;
  const upright = image.timeout({ seconds: DECODING_SECONDS }).autoOrient();
  // JPEGs are halved in the cosine transform, which loses nothing; WebP's own scaling is far from Lanczos.
  const fastShrinkOnLoad = kind === "JPEG";
  if (Math.min(width, height) < size) await enlarge(upright, width, height, picture, size);
  else await shrink(upright, width, height, fastShrinkOnLoad, picture, size);
}

function open(bytes: Uint8Array, kind: FileKind): Sharp {
  const options = { limitInputPixels: PIXEL_LIMIT, sequentialRead: true, failOn: "warning" } as const;
  if (kind !== "Netpbm") return sharp(bytes, options);
  const { data, ...raw } = readNetpbm(bytes);
  return sharp(data, { ...options, raw });
}

async function shrink(
  image: Sharp,
  width: number,
  height: number,
  fastShrinkOnLoad: boolean,
  picture: Uint8Array,
  size: number,
): Promise<void> {
  const fit = fitShorterSide(width, height, size);
  const square = { left: fit.left, top: fit.top, width: size, height: size };
  const { data } = await toRgb(image.resize(fit.width, fit.height, { fit: "fill", fastShrinkOnLoad }).extract(square));
  picture.set(data);
}

/** Only what the centre square needs is decoded: a 1x10000 picture would be 256x2560000 when scaled to 256 as a whole. */
async function enlarge(image: Sharp, width: number, height: number, picture: Uint8Array, size: number): Promise<void> {
  const box = cropBox(width, height, size);
  const left = Math.max(0, Math.floor(box.left) - MARGIN);
  const top = Math.max(0, Math.floor(box.top) - MARGIN);
  const part = {
    left,
    top,
    width: Math.min(width, Math.ceil(box.left + box.width) + MARGIN) - left,
    height: Math.min(height, Math.ceil(box.top + box.height) + MARGIN) - top,
  };
  const { data, info } = await toRgb(image.extract(part));
  const boxInPart = { ...box, left: box.left - left, top: box.top - top };
  resample(info.width, info.height, (pixels) => pixels.set(data), boxInPart, picture, size);
}

function toRgb(image: Sharp) {
  return image
    .flatten({ background: "#ffffff" })
    .toColourspace("srgb")
    .raw({ depth: "uchar" })
    .toBuffer({ resolveWithObject: true });
}
