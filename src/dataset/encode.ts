import { PICTURE_SIZE } from "../images/geometry.js";
import { sharp } from "../images/sharp.js";

export type Encoding = "raw" | "jpeg";

const JPEG = { quality: 95, chromaSubsampling: "4:4:4", optimiseCoding: false } as const;

/** What the store keeps of a 256x256 RGB picture. */
export async function encodePicture(picture: Uint8Array, encoding: Encoding): Promise<Uint8Array> {
  if (encoding === "raw") return picture;
  return sharp(picture, { raw: { width: PICTURE_SIZE, height: PICTURE_SIZE, channels: 3 } })
    .jpeg(JPEG)
    .toBuffer();
}

/** Back to 256x256 RGB. */
export async function decodeStored(bytes: Uint8Array, encoding: Encoding): Promise<Uint8Array> {
  return encoding === "raw" ? bytes : sharp(bytes).raw().toBuffer();
}
