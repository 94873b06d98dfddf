import { hasHalvedColours, isExif, jpegSegments, orientationOf } from "../../images/decode/jpeg-segments.js";
import { storedBox, turnUpright, uprightSize } from "../../images/decode/orient.js";
import { cropBox, decodingScale } from "../../images/geometry.js";
import { resample } from "../../images/resample.js";
import { pictureBytes } from "../../network/picture.js";
import { shrinkLikeJpeg } from "./shrink-like-jpeg.js";

const MOST_PIXELS = 50e6; // that a page decodes

/**
 * Any picture that the browser can decode as a network sees it, (size, size, 3): what `loadPicture` makes of it outside of
 * a browser, step by step.
 */
export async function decodeInBrowser(file: Blob, size: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const isJpeg = bytes[0] === 0xff && bytes[1] === 0xd8;
  const segments = isJpeg ? [...jpegSegments(bytes)] : [];
  const orientation = orientationOf(segments);
  // Without its EXIF the browser leaves the picture as it is stored, in blocks that begin at its corner.
  const stored = orientation === 1 ? file : new Blob(without(bytes, segments.filter(isExif)));
  const whole = await createImageBitmap(stored, { premultiplyAlpha: "default", colorSpaceConversion: "default" });
  const { width, height } = whole;
  if (width * height > MOST_PIXELS) throw new Error(`more than ${MOST_PIXELS / 1e6} million pixels`);
  const scale = isJpeg ? decodingScale(width, height, size) : 1;
  const crop = storedBox(cropBox(...uprightSize(width, height, orientation), size), width, height, orientation);
  const picture = new Uint8Array(pictureBytes(size));
  const [columns, rows] = [Math.ceil(width * scale), Math.ceil(height * scale)];
  const shrunk = scale === 1 ? whole : await shrunkByBrowser(stored, columns, rows);
  const pixels =
    shrunk === undefined
      ? shrinkLikeJpeg(pixelsOf(whole, width, height), width, height, 8 * scale, hasHalvedColours(segments))
      : colours(pixelsOf(shrunk, columns, rows));
  whole.close();
  shrunk?.close();
  resample(
    columns,
    rows,
    (memory) => memory.set(pixels),
    { left: crop.left * scale, top: crop.top * scale, width: crop.width * scale, height: crop.height * scale },
    picture,
    size,
  );
  turnUpright(picture, size, orientation);
  return picture;
}

/**
 * A JPEG shrunk while it is decoded, by the same steps of libjpeg-turbo as outside of a browser: what Chromium's decoder
 * does when it is asked for as many pixels.
 * @returns undefined where the browser has no such decoder, or one that doesn't shrink
 */
async function shrunkByBrowser(file: Blob, width: number, height: number): Promise<VideoFrame | undefined> {
  if (typeof ImageDecoder === "undefined") return undefined;
  const data = await file.arrayBuffer();
  const decoder = new ImageDecoder({ data, type: "image/jpeg", desiredWidth: width, desiredHeight: height });
  try {
    const { image } = await decoder.decode();
    if (image.codedWidth === width && image.codedHeight === height) return image;
    image.close();
    return undefined;
  } catch {
    return undefined; // what the whole picture was decoded by may do better
  } finally {
    decoder.close();
  }
}

/** On white, as sRGB: (height, width, 4). */
function pixelsOf(image: ImageBitmap | VideoFrame, width: number, height: number): Uint8ClampedArray {
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  if (context === null) throw new Error("this browser has no memory for a picture of that size");
  context.fillStyle = "#ffffff";
  context.fillRect(0, 0, width, height);
  context.drawImage(image, 0, 0);
  return context.getImageData(0, 0, width, height).data;
}

/** (pixels, 4) without the last of each. */
function colours(data: Uint8ClampedArray): Uint8Array {
  const pixels = new Uint8Array((data.length / 4) * 3);
  for (let i = 0, j = 0; j < data.length; i += 3, j += 4) {
    pixels[i] = data[j] ?? 0;
    pixels[i + 1] = data[j + 1] ?? 0;
    pixels[i + 2] = data[j + 2] ?? 0;
  }
  return pixels;
}

/** The pieces of a file between some parts of it. */
function without(
  bytes: Uint8Array<ArrayBuffer>,
  parts: readonly { readonly start: number; readonly end: number }[],
): Uint8Array<ArrayBuffer>[] {
  const ends = [0, ...parts.map(({ end }) => end)];
  return ends.map((from, i) => bytes.subarray(from, parts[i]?.start ?? bytes.length));
}
