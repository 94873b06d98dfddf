import { AlexnetError } from "../../errors.js";
import { DEFAULT_PICTURE_SIZE, pictureBytes } from "../../network/picture.js";
import { LONGEST_SIDE, PIXEL_LIMIT } from "../geometry.js";
import { sharp } from "../sharp.js";
import { DECODING_SECONDS, decodeAny, NotRead } from "./any.js";
import { canDecodeHeic, heicToTiff } from "./heic.js";
import { decodeJpeg } from "./jpeg.js";
import { withoutHarmlessFaults } from "./lenient-jpeg.js";
import { type FileKind, recognise } from "./recognise.js";
import { findTurbojpeg } from "./turbojpeg.js";

export interface DecodeOptions {
  /** Height and width of what comes out. Default 256. */
  readonly size?: number;
  /** SVG can refer to other files, so it is read only when asked for. */
  readonly allowSvg?: boolean;
  /** What decodes JPEG; by default libjpeg-turbo where it is installed, being twice as fast. */
  readonly jpegDecoder?: JpegDecoder;
}

export type JpegDecoder = "libjpeg-turbo" | "sharp";

export function preferredJpegDecoder(): JpegDecoder {
  return findTurbojpeg() === undefined ? "sharp" : "libjpeg-turbo";
}

/**
 * The bytes of any picture file as RGB, (size, size, 3): orientation applied, shorter side scaled to the size, centre
 * cropped (paper section 2). Transparent parts become white.
 * @param into memory of (size, size, 3) that it is written to, and returned, unless something is wrong; new by default
 * @throws AlexnetError "unreadable-picture" saying what is wrong with the bytes, without a file's name.
 */
export async function decodePicture(
  bytes: Uint8Array,
  options: DecodeOptions = {},
  into?: Uint8Array,
): Promise<Uint8Array> {
  const { size = DEFAULT_PICTURE_SIZE } = options;
  const picture = into ?? new Uint8Array(pictureBytes(size));
  const kind = recognise(bytes);
  refuse(kind, options);
  const turbojpeg = kind === "JPEG" && options.jpegDecoder !== "sharp" ? findTurbojpeg() : undefined;
  try {
    if (turbojpeg !== undefined && decodeJpeg(bytes, turbojpeg, picture, size)) return picture;
    const mended = kind === "JPEG" ? withoutHarmlessFaults(bytes) : undefined;
    if (turbojpeg !== undefined && mended !== undefined && decodeJpeg(mended, turbojpeg, picture, size)) return picture;
    const tiff = kind === "HEIC" ? await heicToTiff(bytes) : undefined;
    if (tiff !== undefined) await decodeAny(tiff, "TIFF", picture, size);
    else await decodeAny(mended ?? bytes, kind, picture, size);
    return picture;
  } catch (error) {
    throw new AlexnetError("unreadable-picture", explain(error, kind, bytes), { cause: error });
  }
}

/** The libraries at work: contents differ a little between decoders. */
export function describeDecoder(jpegDecoder: JpegDecoder): string {
  const { sharp: version, vips } = sharp.versions;
  const all = `sharp ${version} (libvips ${vips})`;
  return jpegDecoder === "sharp" ? all : `libjpeg-turbo (${findTurbojpeg()?.name ?? "missing"}) and ${all}`;
}

const noPictures: ReadonlySet<FileKind> = new Set(["HTML", "text", "unknown bytes", "PDF", "video", "compressed file"]);
const unread: ReadonlySet<FileKind> = new Set([
  "BMP",
  "HEIC",
  "JPEG 2000",
  "JPEG XL",
  "camera raw",
  "Photoshop document",
]);

function refuse(kind: FileKind, { allowSvg = false }: DecodeOptions): void {
  if (kind === "empty file") throw new AlexnetError("unreadable-picture", "empty file");
  if (noPictures.has(kind)) throw new AlexnetError("unreadable-picture", `not a picture: ${kind}`);
  if (unread.has(kind) && !(kind === "HEIC" && canDecodeHeic()))
    throw new AlexnetError("unreadable-picture", `${kind} is not read; convert it to JPEG or PNG first${wayOf(kind)}`);
  if (kind === "SVG" && !allowSvg)
    throw new AlexnetError("unreadable-picture", "SVG can refer to other files and is read only when asked for");
}

/** How most people have the kinds that cameras and phones write converted. */
function wayOf(kind: FileKind): string {
  if (kind === "HEIC")
    return " (heif-convert photo.heic photo.jpg), or have it read by libheif (npm install libheif-js)";
  return kind === "camera raw" ? " (most cameras and photo programs save both)" : "";
}

/** What a whole file has that its kind may have, and that is not read here. */
function notRead(error: unknown, bytes: Uint8Array, text: string): string | undefined {
  if (error instanceof NotRead) return `of ${error.message}`;
  const [, compression] = /(\w+) compression support is not configured/i.exec(text) ?? [];
  if (compression !== undefined) return `with ${compression} compression`;
  const isSequence = Buffer.from(bytes.subarray(8, 12)).toString("latin1") === "avis";
  return isSequence && /unsupported image format/i.test(text) ? "that is a sequence of pictures" : undefined;
}

function explain(error: unknown, kind: FileKind, bytes: Uint8Array): string {
  const { length } = bytes;
  const text = error instanceof Error ? error.message : String(error);
  const size = `${(length / 1000).toFixed(length < 10_000 ? 1 : 0)} kB`;
  const another = notRead(error, bytes, text);
  if (another !== undefined) return `${kind} ${another} is not read; save it in another form, such as JPEG or PNG`;
  if (/pixel limit/i.test(text)) return `${kind} of more than ${PIXEL_LIMIT / 1e6} million pixels; not decoded`;
  if (/bad image dimensions/i.test(text)) return `${kind} of more than ${LONGEST_SIDE} pixels a side; not decoded`;
  if (/timeout/i.test(text)) return `${kind} that takes more than ${DECODING_SECONDS} s to decode`;
  if (/premature end|truncat|unexpected end|not enough|end of (file|stream)/i.test(text))
    return `truncated ${kind} (${size})`;
  const [detail = ""] = text.replace(/^Input buffer (has corrupt header: )?/, "").split("\n");
  return `damaged ${kind} (${size}): ${detail.trim()}`;
}
