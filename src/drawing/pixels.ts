import { sharp } from "../images/sharp.js";

/** An image in memory: red, green, blue, 0 to 255, row by row; (height, width, 3). */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** A square of (size, size, 3). */
export function squareOf(size: number, data: Uint8Array): Pixels {
  return { width: size, height: size, data };
}

/** Red, green, blue, 0 to 255. */
export type Rgb = readonly [number, number, number];

/** An image by the colour of each pixel. */
export function paint(width: number, height: number, colourAt: (x: number, y: number) => Rgb): Pixels {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0, place = 0; y < height; y++)
    for (let x = 0; x < width; x++, place += 3) data.set(colourAt(x, y), place);
  return { width, height, data };
}

/** The square of an image that is cut out, and what is then done to it. */
export interface Crop {
  readonly top: number;
  readonly left: number;
  readonly size: number;
  /** Reflected left to right. */
  readonly mirrored?: boolean;
  /** Added to each pixel; what leaves 0 to 255 becomes 0 or 255. */
  readonly colourShift?: Rgb;
}

const UNCHANGED: Rgb = [0, 0, 0];

export function cropOf(image: Pixels, { top, left, size, mirrored = false, colourShift = UNCHANGED }: Crop): Pixels {
  const [red, green, blue] = colourShift;
  const data = new Uint8ClampedArray(size * size * 3);
  for (let y = 0, to = 0; y < size; y++)
    for (let x = 0; x < size; x++, to += 3) {
      const from = ((top + y) * image.width + left + (mirrored ? size - 1 - x : x)) * 3;
      data[to] = (image.data[from] ?? 0) + red;
      data[to + 1] = (image.data[from + 1] ?? 0) + green;
      data[to + 2] = (image.data[from + 2] ?? 0) + blue;
    }
  return squareOf(size, new Uint8Array(data.buffer));
}

/** Each pixel as a square of `times` by `times`. */
export function enlarge({ width, height, data }: Pixels, times: number): Pixels {
  return paint(width * times, height * times, (x, y) => {
    const from = (Math.floor(y / times) * width + Math.floor(x / times)) * 3;
    return [data[from] ?? 0, data[from + 1] ?? 0, data[from + 2] ?? 0];
  });
}

/** Any size, smoothly. */
export async function resize(image: Pixels, width: number, height = width): Promise<Pixels> {
  return { width, height, data: await sharpOf(image).resize(width, height).raw().toBuffer() };
}

export function encodePng(image: Pixels): Promise<Buffer> {
  return sharpOf(image).png().toBuffer();
}

/** For what sharp can do beyond this file. */
export function sharpOf({ width, height, data }: Pixels) {
  return sharp(data, { raw: { width, height, channels: 3 } });
}
