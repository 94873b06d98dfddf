import { heatColour, mix, robustMaximum } from "./colours.js";
import { encodePng, enlarge, type Pixels, paint, type Rgb, resize } from "./pixels.js";
import { drawSheet, inRows } from "./sheet.js";

const ENLARGED = 2; // times the crop's own size
const TILE = 64; // pixels a small map is magnified to at least half of
const GAP = 2;
const BACKGROUND: Rgb = [70, 70, 70];
const WHITE: Rgb = [255, 255, 255];

/**
 * All feature maps of an activation, (channels, height, width), on one sheet in the order of the channels, as a PNG; a
 * vector becomes one map, row by row. All share one scale, black for 0.
 */
export async function drawMaps(
  values: Float32Array,
  channels: number,
  height: number,
  width: number,
): Promise<Uint8Array> {
  if (height * width === 1) {
    const side = Math.ceil(Math.sqrt(channels));
    return drawMaps(values, 1, Math.ceil(channels / side), side);
  }
  const scale = 1 / robustMaximum(values);
  const magnified = Math.max(1, Math.floor((channels === 1 ? 8 * TILE : TILE) / Math.max(height, width)));
  const tiles = Array.from({ length: channels }, (_, channel) => {
    const map = paint(width, height, (x, y) => heatColour((values[(channel * height + y) * width + x] ?? 0) * scale));
    return { pixels: enlarge(map, magnified) };
  });
  const columns = Math.max(1, Math.round(Math.sqrt((channels * 1.5 * height) / width)));
  const size = { width: width * magnified, height: height * magnified };
  const { png } = await drawSheet(inRows(tiles, columns), { ...size, gap: GAP, background: BACKGROUND });
  return png;
}

/**
 * A square crop, and beside it the same in grey under a map of its size, (size, size), as a PNG: light where the map is
 * high, its highest few values alike; what is below 0 leaves it dark.
 */
export async function drawOverlay({ width: size, data }: Pixels, map: Float32Array): Promise<Uint8Array> {
  const scale = 1 / robustMaximum(map);
  const gap = 2 * GAP;
  const image = paint(2 * size + gap, size, (x, y) => {
    if (x >= size && x < size + gap) return WHITE;
    const place = y * size + (x < size ? x : x - size - gap);
    const [red = 0, green = 0, blue = 0] = data.subarray(3 * place, 3 * place + 3);
    if (x < size) return [red, green, blue];
    const grey = 0.5 * (0.299 * red + 0.587 * green + 0.114 * blue);
    const value = Math.min(1, Math.max(0, (map[place] ?? 0) * scale));
    return mix([grey, grey, grey], heatColour(value), value);
  });
  return encodePng(await resize(image, ENLARGED * image.width, ENLARGED * image.height));
}
