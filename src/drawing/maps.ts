import { sharp } from "../images/sharp.js";
import { PICTURE_SIZE } from "../network/picture.js";
import { heatColour, type Rgb, robustMaximum } from "./heat.js";

/** A part of a picture, (size, size, 3). */
export interface Crop {
  readonly pixels: Uint8Array;
  readonly size: number;
}

/** @param picture (256, 256, 3) */
export function cropOf(picture: Uint8Array, size: number, { top, left }: { top: number; left: number }): Crop {
  const pixels = new Uint8Array(size * size * 3);
  for (let row = 0; row < size; row++) {
    const start = ((top + row) * PICTURE_SIZE + left) * 3;
    pixels.set(picture.subarray(start, start + size * 3), row * size * 3);
  }
  return { pixels, size };
}

export function drawCrop({ pixels, size }: Crop): Promise<Buffer> {
  return sharp(pixels, { raw: { width: size, height: size, channels: 3 } })
    .png()
    .toBuffer();
}

const ENLARGED = 2; // times the crop's own size
const TILE = 64; // pixels a small map is magnified to at least half of
const GAP = 2;
const BACKGROUND: Rgb = [70, 70, 70];

/**
 * All maps of an activation, (channels, height, width), on one sheet in the order of the channels; a vector becomes one
 * map, row by row. All share one scale, black for 0.
 */
export function drawMaps(values: Float32Array, channels: number, height: number, width: number): Promise<Buffer> {
  if (height * width === 1) {
    const side = Math.ceil(Math.sqrt(channels));
    return drawMaps(padded(values, side * Math.ceil(channels / side)), 1, Math.ceil(channels / side), side);
  }
  const scale = 1 / robustMaximum(values);
  const columns = Math.max(1, Math.round(Math.sqrt((channels * 1.5 * height) / width)));
  const rows = Math.ceil(channels / columns);
  const magnified = Math.max(1, Math.floor((channels === 1 ? 8 * TILE : TILE) / Math.max(height, width)));
  const canvas = new Canvas(
    columns * (width * magnified + GAP) + GAP,
    rows * (height * magnified + GAP) + GAP,
    BACKGROUND,
  );
  for (let channel = 0; channel < channels; channel++) {
    const left = GAP + (channel % columns) * (width * magnified + GAP);
    const top = GAP + Math.floor(channel / columns) * (height * magnified + GAP);
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        const colour = heatColour(values[(channel * height + y) * width + x] * scale);
        canvas.fill(left + x * magnified, top + y * magnified, magnified, colour);
      }
  }
  return canvas.png();
}

/**
 * A crop, and beside it the same in grey under a map of its size, (size, size): light where the map is high, its
 * highest few values alike; what is below 0 leaves it dark.
 */
export function drawOverlay({ pixels, size }: Crop, map: Float32Array): Promise<Buffer> {
  const scale = 1 / robustMaximum(map);
  const canvas = new Canvas(2 * size + 2 * GAP, size, [255, 255, 255]);
  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++) {
      const place = y * size + x;
      const [red, green, blue] = pixels.subarray(3 * place, 3 * place + 3);
      canvas.set(x, y, [red, green, blue]);
      const grey = 0.299 * red + 0.587 * green + 0.114 * blue;
      const value = Math.min(1, Math.max(0, map[place] * scale));
      const heat = heatColour(value);
      const mixed = (channel: 0 | 1 | 2): number => Math.round(grey * 0.5 * (1 - value) + heat[channel] * value);
      canvas.set(size + 2 * GAP + x, y, [mixed(0), mixed(1), mixed(2)]);
    }
  return canvas.png(ENLARGED);
}

function padded(values: Float32Array, length: number): Float32Array {
  const longer = new Float32Array(length);
  longer.set(values);
  return longer;
}

class Canvas {
  readonly #pixels: Uint8Array;

  constructor(
    readonly width: number,
    readonly height: number,
    background: Rgb,
  ) {
    this.#pixels = new Uint8Array(width * height * 3);
    for (let i = 0; i < this.#pixels.length; i++) this.#pixels[i] = background[i % 3];
  }

  set(x: number, y: number, colour: Rgb): void {
    this.#pixels.set(colour, (y * this.width + x) * 3);
  }

  /** A square. */
  fill(left: number, top: number, size: number, colour: Rgb): void {
    for (let y = top; y < top + size; y++) for (let x = left; x < left + size; x++) this.set(x, y, colour);
  }

  png(enlarged = 1): Promise<Buffer> {
    const { width, height } = this;
    return sharp(this.#pixels, { raw: { width, height, channels: 3 } })
      .resize(width * enlarged, height * enlarged)
      .png()
      .toBuffer();
  }
}
