import { sharp } from "../images/sharp.js";

/** As the paper's figure 3 shows the first layer's filters: each scaled to its own range, side by side. */
export interface FilterPicture {
  readonly width: number;
  readonly height: number;
  readonly png: Uint8Array;
}

const GAP = 1; // pixels between filters, before enlarging
const SHORTEST = 24; // pixels of a filter after enlarging, at least

/**
 * @param shape (filters, channels, height, width); the first three channels are red, green, blue
 * @param values row-major
 */
export async function drawFilters(shape: readonly number[], values: Float32Array): Promise<FilterPicture> {
  const [filters = 0, channels = 0, rows = 0, columns = 0] = shape;
  const across = Math.ceil(Math.sqrt(1.5 * filters));
  const width = across * (columns + GAP) + GAP;
  const height = Math.ceil(filters / across) * (rows + GAP) + GAP;
  const pixels = new Uint8Array(width * height * 3).fill(255);
  for (let filter = 0; filter < filters; filter++) {
    const own = values.subarray(filter * channels * rows * columns, (filter + 1) * channels * rows * columns);
    const { low, range } = extent(own);
    const left = GAP + (filter % across) * (columns + GAP);
    const top = GAP + Math.floor(filter / across) * (rows + GAP);
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++)
        for (let colour = 0; colour < 3; colour++) {
          const value = own[(Math.min(colour, channels - 1) * rows + row) * columns + column];
          pixels[((top + row) * width + left + column) * 3 + colour] = Math.round((255 * (value - low)) / range);
        }
  }
  const scale = Math.max(1, Math.ceil(SHORTEST / Math.max(rows, 1)));
  const png = await sharp(pixels, { raw: { width, height, channels: 3 } })
    .resize(width * scale, height * scale, { kernel: "nearest" })
    .png()
    .toBuffer();
  return { width: width * scale, height: height * scale, png };
}

function extent(values: Float32Array): { readonly low: number; readonly range: number } {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return { low, range: high > low ? high - low : 1 };
}
