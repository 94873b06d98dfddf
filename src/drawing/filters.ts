import { enlarge, paint } from "./pixels.js";
import { drawSheet, inRows, type Sheet } from "./sheet.js";

const GAP = 1; // pixels between filters, before enlarging
const BETWEEN = [52, 56, 62] as const; // dark grey: filters stand out from it, and it from no page, light or dark
const SHORTEST = 24; // pixels of a filter after enlarging, at least

/**
 * The first layer's filters as in the paper's figure 3: each scaled to its own range, side by side.
 * @param shape (filters, channels, height, width); the first three channels are red, green, blue
 * @param values row-major
 */
export function drawFilters(shape: readonly number[], values: Float32Array): Promise<Sheet> {
  const [filters = 0, channels = 0, height = 0, width = 0] = shape;
  const scale = Math.max(1, Math.ceil(SHORTEST / Math.max(height, 1)));
  const tiles = Array.from({ length: filters }, (_, filter) => {
    const own = values.subarray(filter * channels * height * width, (filter + 1) * channels * height * width);
    const { low, range } = rangeOf(own);
    const shade = (channel: number, x: number, y: number): number => {
      const value = own[(Math.min(channel, channels - 1) * height + y) * width + x] ?? low;
      return Math.round((255 * (value - low)) / range);
    };
    const pixels = paint(width, height, (x, y) => [shade(0, x, y), shade(1, x, y), shade(2, x, y)]);
    return { pixels: enlarge(pixels, scale) };
  });
  const columns = Math.ceil(Math.sqrt(1.5 * filters));
  return drawSheet(inRows(tiles, columns), {
    width: width * scale,
    height: height * scale,
    gap: GAP * scale,
    background: BETWEEN,
  });
}

function rangeOf(values: Float32Array): { readonly low: number; readonly range: number } {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return { low, range: high > low ? high - low : 1 };
}
