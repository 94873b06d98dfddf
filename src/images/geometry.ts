import type { Box } from "./resample.js";

/** Of a WebP, in pixels; JPEG and others may be longer. */
export const LONGEST_SIDE = 16_383;

/** The most pixels a picture may claim to have; beyond it nothing is decoded (as in libvips). */
export const PIXEL_LIMIT = LONGEST_SIDE ** 2;

/** Where the square centre lies once the shorter side is scaled to the size asked for (paper section 2: 256). */
export interface Fit {
  /** Size of the whole picture after scaling, the longer side rounded. */
  readonly width: number;
  readonly height: number;
  /** Upper left corner of the centre square in it. */
  readonly left: number;
  readonly top: number;
}

export function fitShorterSide(width: number, height: number, size: number): Fit {
  const scale = size / Math.min(width, height);
  // Field by field: V8 keeps a hidden class of each object made by a spread with fields after it until a full collection.
  const [fittedWidth, fittedHeight] = [Math.round(width * scale), Math.round(height * scale)];
  return {
    width: fittedWidth,
    height: fittedHeight,
    left: Math.floor((fittedWidth - size) / 2),
    top: Math.floor((fittedHeight - size) / 2),
  };
}

/** The part of a picture that becomes the square of the size asked for, in the picture's own, fractional coordinates. */
export function cropBox(width: number, height: number, size: number): Box {
  const fit = fitShorterSide(width, height, size);
  const [scaleX, scaleY] = [width / fit.width, height / fit.height];
  return {
    left: fit.left * scaleX,
    top: fit.top * scaleY,
    width: size * scaleX,
    height: size * scaleY,
  };
}

/** By how much a JPEG is shrunk while it is decoded: halvings are nearly free there, and the rest is done properly. */
export function decodingScale(width: number, height: number, size: number): number {
  const scales = [1 / 8, 1 / 4, 1 / 2];
  return scales.find((scale) => Math.min(width, height) * scale >= size) ?? 1;
}
