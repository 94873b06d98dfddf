import { createRequire } from "node:module";
import { PIXEL_LIMIT } from "../geometry.js";

/**
 * HEIC, by libheif where the npm package libheif-js is installed. This project doesn't bring it: the patents on HEVC,
 * which HEIC is compressed by, keep it out of libvips' own builds too.
 */

/** What is used of Emscripten's build of libheif. Handles are opaque; an error is an object with a code. */
interface Libheif {
  readonly heif_colorspace: { readonly heif_colorspace_RGB: unknown };
  readonly heif_chroma: { readonly heif_chroma_interleaved_RGBA: unknown };
  readonly heif_channel: { readonly heif_channel_interleaved: unknown };
  heif_context_alloc(): unknown;
  heif_context_read_from_memory(context: unknown, file: Uint8Array): Failure;
  heif_js_context_get_primary_image_handle(context: unknown): unknown;
  heif_image_handle_get_width(handle: unknown): number;
  heif_image_handle_get_height(handle: unknown): number;
  /** Orientation and crop of the file applied. */
  heif_js_decode_image2(
    handle: unknown,
    space: unknown,
    chroma: unknown,
  ): Decoded | Failure | Promise<Decoded | Failure>;
  heif_image_release(image: unknown): void;
  heif_image_handle_release(handle: unknown): void;
  heif_context_free(context: unknown): void;
}

interface Failure {
  /** An object of the library for each code. */
  readonly code: { readonly value: number };
  readonly message: string;
}

interface Decoded {
  readonly image: unknown;
  readonly channels: readonly {
    readonly id: unknown;
    readonly width: number;
    readonly height: number;
    /** Bytes from one row to the next. */
    readonly stride: number;
    readonly data: Uint8Array;
  }[];
}

let loaded: Libheif | null | undefined; // null: looked for and not found

/** The library on this thread, loaded on the first call; undefined where it isn't installed. */
function findLibheif(): Libheif | undefined {
  if (loaded === undefined) loaded = load();
  return loaded ?? undefined;
}

function load(): Libheif | null {
  try {
    return createRequire(import.meta.url)("libheif-js/wasm-bundle.js");
  } catch {
    return null; // an optional package
  }
}

export function canDecodeHeic(): boolean {
  return findLibheif() !== undefined;
}

/**
 * The first picture of a HEIC file as a TIFF with the same colour profile, which sharp reads; undefined where libheif
 * isn't installed.
 * @throws Error saying what is wrong with the file
 */
export async function heicToTiff(file: Uint8Array): Promise<Uint8Array | undefined> {
  const libheif = findLibheif();
  if (libheif === undefined) return undefined;
  try {
    return await convert(libheif, file);
  } catch (error) {
    if (error instanceof Error && error.name === "RuntimeError") loaded = undefined; // it ended: begin with another
    throw error;
  }
}

async function convert(libheif: Libheif, file: Uint8Array): Promise<Uint8Array> {
  const context = libheif.heif_context_alloc();
  try {
    refuse(libheif.heif_context_read_from_memory(context, file));
    const handle = libheif.heif_js_context_get_primary_image_handle(context);
    refuse(handle);
    try {
      return await decode(libheif, handle, profileOf(file));
    } finally {
      libheif.heif_image_handle_release(handle);
    }
  } finally {
    libheif.heif_context_free(context);
  }
}

async function decode(libheif: Libheif, handle: unknown, profile: Uint8Array | undefined): Promise<Uint8Array> {
  const [width, height] = [libheif.heif_image_handle_get_width(handle), libheif.heif_image_handle_get_height(handle)];
  if (width * height > PIXEL_LIMIT) throw new Error("exceeds pixel limit");
  const { heif_colorspace, heif_chroma, heif_channel } = libheif;
  const decoded = await libheif.heif_js_decode_image2(
    handle,
    heif_colorspace.heif_colorspace_RGB,
    heif_chroma.heif_chroma_interleaved_RGBA,
  );
  if ("code" in decoded) throw new Error(decoded.message);
  try {
    const pixels = decoded.channels.find(({ id }) => id === heif_channel.heif_channel_interleaved);
    if (pixels === undefined) throw new Error("has no colours");
    return tiffOf(pixels, profile);
  } finally {
    libheif.heif_image_release(decoded.image);
  }
}

/** @throws Error where what the library returned is a failure */
function refuse(returned: unknown): void {
  if (typeof returned !== "object" || returned === null || !("code" in returned)) return;
  const { code, message } = returned as Failure;
  if (code.value !== 0) throw new Error(message);
}

/** A colour profile stands in a box of its own, "colr" of kind "prof" (ISO/IEC 14496-12, 12.1.5); the first is the picture's. */
function profileOf(file: Uint8Array): Uint8Array | undefined {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  const at = bytes.indexOf("colrprof", 4, "latin1");
  if (at < 0) return undefined;
  const profile = bytes.subarray(at + 8, at - 4 + bytes.readUInt32BE(at - 4));
  return profile.toString("latin1", 36, 40) === "acsp" ? profile : undefined;
}

const SHORT = 3;
const LONG = 4;
const UNDEFINED = 7;

/** Uncompressed red, green, blue and alpha, 8 bits each: a header, the pixels in one strip, the profile, one directory. */
function tiffOf(
  { width, height, stride, data }: Decoded["channels"][number],
  profile: Uint8Array = new Uint8Array(),
): Uint8Array {
  const HEAD = 16; // what the TIFF is, where its directory is, bits of the four samples
  const length = width * height * 4;
  const directory = HEAD + length + profile.length + (profile.length % 2);
  const tags: readonly (readonly [tag: number, type: number, count: number, value: number])[] = [
    [256, LONG, 1, width],
    [257, LONG, 1, height],
    [258, SHORT, 4, 8], // bits a sample: at byte 8
    [259, SHORT, 1, 1], // not compressed
    [262, SHORT, 1, 2], // RGB
    [273, LONG, 1, HEAD], // the strip
    [277, SHORT, 1, 4], // samples a pixel
    [278, LONG, 1, height], // rows of the strip
    [279, LONG, 1, length],
    [338, SHORT, 1, 2], // the fourth is alpha, which colours aren't multiplied by
    ...(profile.length > 0 ? ([[34675, UNDEFINED, profile.length, HEAD + length]] as const) : []),
  ];
  const tiff = Buffer.alloc(directory + 2 + 12 * tags.length + 4);
  tiff.write("II*\0", "latin1");
  tiff.writeUInt32LE(directory, 4);
  for (let sample = 0; sample < 4; sample++) tiff.writeUInt16LE(8, 8 + 2 * sample);
  for (let row = 0; row < height; row++)
    tiff.set(data.subarray(row * stride, row * stride + width * 4), HEAD + row * width * 4);
  tiff.set(profile, HEAD + length);
  tiff.writeUInt16LE(tags.length, directory);
  tags.forEach(([tag, type, count, value], i) => {
    const at = directory + 2 + 12 * i;
    tiff.writeUInt16LE(tag, at);
    tiff.writeUInt16LE(type, at + 2);
    tiff.writeUInt32LE(count, at + 4);
    tiff.writeUInt32LE(value, at + 8); // little endian: a short stands where a long does
  });
  return tiff;
}
