import type { Turbojpeg } from "../images/decode/turbojpeg.js";
import { sharp } from "../images/sharp.js";
import { PICTURE_BYTES, PICTURE_SIZE } from "../network/picture.js";

export type Encoding = "raw" | "jpeg";

const QUALITY = 95;
const SIZE = { width: PICTURE_SIZE, height: PICTURE_SIZE } as const;

/** What the store keeps of a 256x256 RGB picture, good until the next call; without `turbojpeg`, sharp makes the JPEGs. */
export async function encodePicture(
  picture: Uint8Array,
  encoding: Encoding,
  turbojpeg: Turbojpeg | undefined,
): Promise<Uint8Array> {
  if (encoding === "raw") return picture;
  if (turbojpeg !== undefined) return turbojpeg.encode(picture, PICTURE_SIZE, PICTURE_SIZE, QUALITY);
  return sharp(picture, { raw: { ...SIZE, channels: 3 } })
    .jpeg({ quality: QUALITY, chromaSubsampling: "4:4:4", optimiseCoding: false })
    .toBuffer();
}

/** Writes a stored picture as 256x256 RGB into `into`. @returns false when it is damaged. */
export async function decodeStored(
  stored: Uint8Array,
  encoding: Encoding,
  into: Uint8Array,
  turbojpeg: Turbojpeg | undefined,
): Promise<boolean> {
  if (encoding === "raw") {
    if (stored.length !== PICTURE_BYTES) return false;
    into.set(stored.subarray(0, PICTURE_BYTES)); // a lent buffer may be larger than the length it states
    return true;
  }
  if (turbojpeg !== undefined) {
    const header = turbojpeg.readHeader(stored);
    return header?.width === PICTURE_SIZE && header.height === PICTURE_SIZE && turbojpeg.decode(stored, SIZE, into);
  }
  try {
    const { data, info } = await sharp(stored).raw().toBuffer({ resolveWithObject: true });
    if (info.width !== PICTURE_SIZE || info.height !== PICTURE_SIZE || data.length !== PICTURE_BYTES) return false;
    into.set(data);
    return true;
  } catch {
    return false;
  }
}
