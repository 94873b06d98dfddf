import type { Turbojpeg } from "../images/decode/turbojpeg.js";
import { sharp } from "../images/sharp.js";
import { pictureBytes } from "../network/picture.js";

export type Encoding = "raw" | "jpeg";

const QUALITY = 95;

/** What the store keeps of an RGB picture, (size, size, 3), good until the next call; without `turbojpeg`, sharp makes the JPEGs. */
export async function encodePicture(
  picture: Uint8Array,
  size: number,
  encoding: Encoding,
  turbojpeg: Turbojpeg | undefined,
): Promise<Uint8Array> {
  if (encoding === "raw") return picture;
  if (turbojpeg !== undefined) return turbojpeg.encode(picture, size, size, QUALITY);
  return sharp(picture, { raw: { width: size, height: size, channels: 3 } })
    .jpeg({ quality: QUALITY, chromaSubsampling: "4:4:4", optimiseCoding: false })
    .toBuffer();
}

/** Writes a stored picture as RGB into `into`, (size, size, 3). @returns false when it is damaged. */
export async function decodeStored(
  stored: Uint8Array,
  encoding: Encoding,
  size: number,
  into: Uint8Array,
  turbojpeg: Turbojpeg | undefined,
): Promise<boolean> {
  if (encoding === "raw") {
    if (stored.length !== pictureBytes(size)) return false;
    into.set(stored.subarray(0, pictureBytes(size))); // a lent buffer may be larger than the length it states
    return true;
  }
  if (turbojpeg !== undefined) {
    const header = turbojpeg.readHeader(stored);
    return header?.width === size && header.height === size && turbojpeg.decode(stored, header, into);
  }
  try {
    const { data, info } = await sharp(stored).raw().toBuffer({ resolveWithObject: true });
    if (info.width !== size || info.height !== size || data.length !== pictureBytes(size)) return false;
    into.set(data);
    return true;
  } catch {
    return false;
  }
}
