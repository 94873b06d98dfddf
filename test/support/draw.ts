import type { Sharp } from "sharp";
import { sharp } from "#src/images/sharp.js";
import { bits } from "#src/random.js";

/** A picture that no turn or mirroring leaves the same: a gradient, a bright corner, and a colour of its own. */
export function draw(seed: number, width = 80, height = 60): Sharp {
  const pixels = Buffer.alloc(width * height * 3);
  const tint = [bits(seed, 0) & 127, bits(seed, 1) & 127, bits(seed, 2) & 127];
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const isCorner = x < width / 3 && y < height / 4;
      const shades = [(x / width) * 127, (y / height) * 127, isCorner ? 127 : 0];
      for (let channel = 0; channel < 3; channel++)
        pixels[(y * width + x) * 3 + channel] = tint[channel] + shades[channel];
    }
  return sharp(pixels, { raw: { width, height, channels: 3 } });
}

export const drawJpeg = (seed: number, width?: number, height?: number): Promise<Buffer> =>
  draw(seed, width, height).jpeg({ quality: 90 }).toBuffer();

/** Mean absolute difference, in units of 0 to 255; NaN when the sizes differ. */
export function difference(a: Uint8Array, b: Uint8Array): number {
  if (a.length !== b.length) return Number.NaN;
  return a.reduce((sum, value, i) => sum + Math.abs(value - b[i]), 0) / a.length;
}
