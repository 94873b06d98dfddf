import { cropBox, decodingScale, PIXEL_LIMIT } from "../geometry.js";
import { resample } from "../resample.js";
import { readJpegHeader } from "./jpeg-header.js";
import { storedBox, turnUpright, uprightSize } from "./orient.js";
import type { Turbojpeg } from "./turbojpeg.js";

/**
 * Writes a JPEG as RGB into `picture`, (size, size, 3), by libjpeg-turbo, which shrinks large pictures while decoding them.
 * @returns false for what it can't do or finds anything wrong with: colours other than RGB, YCbCr and grey, foreign
 * colour profiles, damage
 */
export function decodeJpeg(bytes: Uint8Array, turbojpeg: Turbojpeg, picture: Uint8Array, size: number): boolean {
  const header = turbojpeg.readHeader(bytes);
  if (header === undefined || !header.isRgb || header.width * header.height > PIXEL_LIMIT) return false;
  const { orientation, profile } = readJpegHeader(bytes);
  if (profile === "other") return false;
  const { width, height } = header;
  const crop = storedBox(cropBox(...uprightSize(width, height, orientation), size), width, height, orientation);
  const scale = decodingScale(width, height, size);
  const decoded = { width: Math.ceil(width * scale), height: Math.ceil(height * scale) };
  const box = {
    left: crop.left * scale,
    top: crop.top * scale,
    width: crop.width * scale,
    height: crop.height * scale,
  };
  let whole = false;
  resample(
    decoded.width,
    decoded.height,
    (pixels) => {
      whole = turbojpeg.decode(bytes, decoded, pixels);
    },
    box,
    picture,
    size,
  );
  if (whole) turnUpright(picture, size, orientation);
  return whole;
}
