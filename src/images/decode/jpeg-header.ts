import { isSrgbProfile } from "./icc-profile.js";
import { jpegSegments, type Orientation, orientationOf, startsWith } from "./jpeg-segments.js";

export interface JpegHeader {
  readonly orientation: Orientation;
  /** Whether its colours need converting to become sRGB. */
  readonly profile: "none" | "sRGB" | "other";
}

const APP2 = 0xe2;
const ICC = "ICC_PROFILE\0";

/** Reads the segments before the first scan; damaged ones count as absent. */
export function readJpegHeader(bytes: Uint8Array): JpegHeader {
  const segments = [...jpegSegments(bytes)];
  const profile = segments
    .filter(({ marker, body }) => marker === APP2 && startsWith(body, ICC))
    .map(({ body }) => body.subarray(ICC.length + 2)); // behind "part i of n"
  return { orientation: orientationOf(segments), profile: describeProfile(Buffer.concat(profile)) };
}

function describeProfile(profile: Buffer): JpegHeader["profile"] {
  if (profile.length === 0) return "none";
  return isSrgbProfile(profile) ? "sRGB" : "other";
}
