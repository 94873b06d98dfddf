import { isSrgbProfile } from "./icc-profile.js";

/** EXIF orientation, 1 to 8: how the stored rows and columns lie in the upright picture. */
export type Orientation = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

export interface JpegHeader {
  readonly orientation: Orientation;
  /** Whether its colours need converting to become sRGB. */
  readonly profile: "none" | "sRGB" | "other";
}

const START_OF_SCAN = 0xda;
const APP1 = 0xe1; // EXIF
const APP2 = 0xe2; // ICC profile
const EXIF = "Exif\0\0";
const ICC = "ICC_PROFILE\0";
const ORIENTATION_TAG = 0x0112;

/** Reads the segments before the first scan; damaged ones count as absent. */
export function readJpegHeader(bytes: Uint8Array): JpegHeader {
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let orientation: Orientation | undefined;
  const profile: Buffer[] = [];
  for (const { marker, body } of segments(data)) {
    if (marker === APP1 && startsWith(body, EXIF)) orientation ??= readOrientation(body.subarray(EXIF.length));
    if (marker === APP2 && startsWith(body, ICC)) profile.push(body.subarray(ICC.length + 2)); // behind "part i of n"
  }
  return { orientation: orientation ?? 1, profile: describeProfile(Buffer.concat(profile)) };
}

function describeProfile(profile: Buffer): JpegHeader["profile"] {
  if (profile.length === 0) return "none";
  return isSrgbProfile(profile) ? "sRGB" : "other";
}

function* segments(data: Buffer): Generator<{ readonly marker: number; readonly body: Buffer }> {
  for (let at = 2; at + 4 <= data.length && data[at] === 0xff; ) {
    const marker = data.readUInt8(at + 1);
    if (marker === 0xff) {
      at++; // fill byte
      continue;
    }
    if (marker === START_OF_SCAN) return;
    const length = data.readUInt16BE(at + 2);
    if (length < 2 || at + 2 + length > data.length) return;
    yield { marker, body: data.subarray(at + 4, at + 2 + length) };
    at += 2 + length;
  }
}

const startsWith = (body: Buffer, text: string) => body.toString("latin1", 0, text.length) === text;

/** From a TIFF structure (EXIF 2.3, section 4.6). */
function readOrientation(tiff: Buffer): Orientation | undefined {
  if (tiff.length < 8) return undefined;
  const little = tiff.toString("latin1", 0, 2) === "II";
  const short = (at: number) => (at + 2 > tiff.length ? 0 : little ? tiff.readUInt16LE(at) : tiff.readUInt16BE(at));
  const directory = little ? tiff.readUInt32LE(4) : tiff.readUInt32BE(4);
  const entries = short(directory);
  for (let i = 0; i < entries; i++) {
    const entry = directory + 2 + i * 12;
    if (entry + 12 > tiff.length) return undefined;
    if (short(entry) === ORIENTATION_TAG) return asOrientation(short(entry + 8));
  }
  return undefined;
}

function asOrientation(value: number): Orientation | undefined {
  return ([1, 2, 3, 4, 5, 6, 7, 8] as const).find((known) => known === value);
}
