import type { Sharp } from "sharp";
import { AlexnetError } from "../errors.js";
import { fitShorterSide, PICTURE_SIZE, PIXEL_LIMIT } from "./geometry.js";
import { type FileKind, recognise } from "./recognise.js";
import { resample } from "./resample.js";
import { sharp } from "./sharp.js";

export interface DecodeOptions {
  /** SVG can refer to other files, so it is read only when asked for. */
  readonly allowSvg?: boolean;
}

const DECODING_SECONDS = 30; // no honest picture takes so long; some made to hang a decoder do
const MARGIN = 4; // source pixels around a crop that a Lanczos3 filter looks at when enlarging

/**
 * The bytes of any picture file as 256x256 RGB: orientation applied, shorter side scaled to 256, centre cropped
 * (paper section 2). Transparent parts become white.
 * @throws AlexnetError "data" saying what is wrong with the bytes, without a file's name.
 */
export async function decodePicture(bytes: Uint8Array, options: DecodeOptions = {}): Promise<Uint8Array> {
  const kind = recognise(bytes);
  refuse(kind, options);
  try {
    return await decodeWithSharp(bytes);
  } catch (error) {
    throw new AlexnetError("data", explain(error, kind, bytes.length), { cause: error });
  }
}

/** What decodes pictures here, with versions: contents differ a little between decoders. */
export function describeDecoder(): string {
  return `sharp ${sharp.versions.sharp} (libvips ${sharp.versions.vips})`;
}

async function decodeWithSharp(bytes: Uint8Array): Promise<Uint8Array> {
  const image = sharp(bytes, { limitInputPixels: PIXEL_LIMIT, sequentialRead: true, failOn: "warning" });
  const { width, height } = (await image.metadata()).autoOrient;
  const upright = image.timeout({ seconds: DECODING_SECONDS }).autoOrient();
  return Math.min(width, height) < PICTURE_SIZE ? enlarge(upright, width, height) : shrink(upright, width, height);
}

async function shrink(image: Sharp, width: number, height: number): Promise<Uint8Array> {
  const fit = fitShorterSide(width, height);
  const { data } = await toRgb(
    image
      .resize(fit.width, fit.height, { fit: "fill" })
      .extract({ left: fit.left, top: fit.top, width: PICTURE_SIZE, height: PICTURE_SIZE }),
  );
  return data;
}

/** Only what the centre square needs is decoded: a 1x10000 picture would be 256x2560000 when scaled as a whole. */
async function enlarge(image: Sharp, width: number, height: number): Promise<Uint8Array> {
  const fit = fitShorterSide(width, height);
  const [scaleX, scaleY] = [width / fit.width, height / fit.height];
  const box = {
    left: fit.left * scaleX,
    top: fit.top * scaleY,
    width: PICTURE_SIZE * scaleX,
    height: PICTURE_SIZE * scaleY,
  };
  const left = Math.max(0, Math.floor(box.left) - MARGIN);
  const top = Math.max(0, Math.floor(box.top) - MARGIN);
  const part = {
    left,
    top,
    width: Math.min(width, Math.ceil(box.left + box.width) + MARGIN) - left,
    height: Math.min(height, Math.ceil(box.top + box.height) + MARGIN) - top,
  };
  const { data, info } = await toRgb(image.extract(part));
  return resample(
    { data, width: info.width, height: info.height },
    { ...box, left: box.left - left, top: box.top - top },
  );
}

function toRgb(image: Sharp) {
  return image
    .flatten({ background: "#ffffff" })
    .toColourspace("srgb")
    .raw({ depth: "uchar" })
    .toBuffer({ resolveWithObject: true });
}

function refuse(kind: FileKind, { allowSvg = false }: DecodeOptions): void {
  if (kind === "empty file") throw new AlexnetError("data", "empty file");
  if (kind === "HTML" || kind === "text" || kind === "unknown bytes")
    throw new AlexnetError("data", `not a picture: ${kind}`);
  if (kind === "BMP" || kind === "HEIC")
    throw new AlexnetError("data", `${kind} is not read; convert it to JPEG or PNG first`);
  if (kind === "SVG" && !allowSvg)
    throw new AlexnetError("data", "SVG can refer to other files and is read only when asked for");
}

function explain(error: unknown, kind: FileKind, length: number): string {
  const text = error instanceof Error ? error.message : String(error);
  const size = `${(length / 1000).toFixed(length < 10_000 ? 1 : 0)} kB`;
  if (/pixel limit/i.test(text)) return `${kind} of more than ${PIXEL_LIMIT / 1e6} million pixels; not decoded`;
  if (/timeout/i.test(text)) return `${kind} that takes more than ${DECODING_SECONDS} s to decode`;
  if (/premature end|truncat|unexpected end|not enough|end of (file|stream)/i.test(text))
    return `truncated ${kind} (${size})`;
  const [detail = ""] = text.replace(/^Input buffer (has corrupt header: )?/, "").split("\n");
  return `damaged ${kind} (${size}): ${detail.trim()}`;
}
