import { heatColour, mix, robustMaximum } from "./colours.js";
import { encodePng, enlarge, type Pixels, paint, type Rgb, resize } from "./pixels.js";
import { drawSheet, inRows } from "./sheet.js";

const ENLARGED = 2; // times the crop's own size
const TILE = 64; // pixels a small map is magnified to at least half of
const LEAST_NUMBERED = 24; // pixels that a number of four digits needs
const GAP = 2;
const BACKGROUND: Rgb = [70, 70, 70];
const CAPTIONS: Rgb = [230, 232, 234];
const WHITE: Rgb = [255, 255, 255];

export interface MapsOptions {
  /** Pixels that a small map is magnified to at least half of. */
  readonly tile?: number;
  /** Pixels that the sheet may be wide, unless one map alone is wider. */
  readonly widest?: number;
  /** Whether the number of its channel stands below each map, counted from 1. */
  readonly isNumbered?: boolean;
}

/**
 * All feature maps of an activation, (channels, height, width), on one sheet in the order of the channels, as a PNG; a
 * vector becomes one map, row by row. All share one scale, black for 0.
 */
export async function drawMaps(
  values: Float32Array,
  channels: number,
  height: number,
  width: number,
  { tile = TILE, widest = Number.POSITIVE_INFINITY, isNumbered = false }: MapsOptions = {},
): Promise<Uint8Array> {
  if (height * width === 1) {
    const side = Math.ceil(Math.sqrt(channels));
    return drawMaps(values, 1, Math.ceil(channels / side), side, { tile });
  }
  const scale = 1 / robustMaximum(values);
  const magnified = Math.max(1, Math.floor((channels === 1 ? 8 * TILE : tile) / Math.max(height, width)));
  const tiles = Array.from({ length: channels }, (_, channel) => {
    const map = paint(width, height, (x, y) => heatColour((values[(channel * height + y) * width + x] ?? 0) * scale));
    const caption = isNumbered && width * magnified >= LEAST_NUMBERED ? String(channel + 1) : undefined;
    return { pixels: enlarge(map, magnified), caption };
  });
  const size = { width: width * magnified, height: height * magnified };
  const fitting = Math.floor((widest - GAP) / (size.width + GAP));
  const columns = Math.max(1, Math.min(Math.round(Math.sqrt((channels * 1.5 * height) / width)), fitting));
  const colours = { background: BACKGROUND, captions: CAPTIONS };
  const { png } = await drawSheet(inRows(tiles, columns), { ...size, gap: GAP, ...colours });
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
