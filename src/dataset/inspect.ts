import type { View } from "../engine/engine.js";
import { PICTURE_BYTES, PICTURE_SIZE } from "../images/geometry.js";
import { sharp } from "../images/sharp.js";
import { Purpose, permutation } from "../random.js";
import { batches } from "./batches.js";
import type { Store } from "./store.js";

/** Square RGB pictures, (size, size, 3) each. */
interface Tile {
  readonly size: number;
  readonly pixels: Uint8Array;
}

const GAP = 4; // pixels between tiles
const WHITE = 255;

/** The mean image as a PNG. */
export function meanImage(store: Store): Promise<Buffer> {
  const pixels = Uint8Array.from(store.mean, (value) => Math.round(value));
  return toPng(PICTURE_SIZE, PICTURE_SIZE, pixels);
}

export interface SheetOptions {
  /** How many pictures. Default 64. */
  readonly count?: number;
  /** Decides which. Default 1. */
  readonly seed?: number;
}

/** Random training pictures in a grid, as a PNG. */
export async function pictureSheet(store: Store, { count = 64, seed = 1 }: SheetOptions = {}): Promise<Buffer> {
  const chosen = permutation(store.count("train"), seed, Purpose.shuffle).subarray(0, count);
  const tiles: Tile[] = [];
  for (const index of chosen) tiles.push({ size: PICTURE_SIZE, pixels: await decode(store, index) });
  return sheet(tiles);
}

async function decode(store: Store, index: number): Promise<Uint8Array> {
  const stored = store.encoded("train", index);
  return store.info.encoding === "raw" ? stored : sharp(stored).raw().toBuffer();
}

/** What the network is fed first in an epoch: cropped, mirrored, colours shifted. As a PNG. */
export async function viewSheet(
  store: Store,
  { cropSize, count = 64, seed = 1 }: SheetOptions & { readonly cropSize: number },
): Promise<Buffer> {
  const batchSize = Math.min(count, store.count("train"));
  const options = { split: "train", batchSize, views: "augmented", cropSize, seed, shuffle: true } as const;
  const tiles: Tile[] = [];
  for await (const { pictures, views, release } of batches(store, options)) {
    tiles.push(...views.map((view) => ({ size: cropSize, pixels: cut(pictures, view, cropSize) })));
    release();
    if (tiles.length >= batchSize) break; // batches are evened out: the first may have one picture less
  }
  return sheet(tiles.slice(0, batchSize));
}

/** The pixels that a view shows, before the mean is subtracted. */
function cut(pictures: Uint8Array, view: View, size: number): Uint8Array {
  const { picture, top, left, mirrored, colourShift } = view;
  const pixels = new Uint8ClampedArray(size * size * 3);
  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++) {
      const column = left + (mirrored ? size - 1 - x : x);
      const from = picture * PICTURE_BYTES + ((top + y) * PICTURE_SIZE + column) * 3;
      for (let channel = 0; channel < 3; channel++)
        pixels[(y * size + x) * 3 + channel] = pictures[from + channel] + colourShift[channel];
    }
  return new Uint8Array(pixels.buffer);
}

function sheet(tiles: readonly Tile[]): Promise<Buffer> {
  const columns = Math.max(1, Math.ceil(Math.sqrt(tiles.length)));
  const rows = Math.max(1, Math.ceil(tiles.length / columns));
  const pitch = (tiles[0]?.size ?? 0) + GAP;
  const [width, height] = [columns * pitch + GAP, rows * pitch + GAP];
  const pixels = new Uint8Array(width * height * 3).fill(WHITE);
  tiles.forEach((tile, i) => {
    const [left, top] = [GAP + (i % columns) * pitch, GAP + Math.floor(i / columns) * pitch];
    for (let y = 0; y < tile.size; y++)
      pixels.set(tile.pixels.subarray(y * tile.size * 3, (y + 1) * tile.size * 3), ((top + y) * width + left) * 3);
  });
  return toPng(width, height, pixels);
}

function toPng(width: number, height: number, pixels: Uint8Array): Promise<Buffer> {
  return sharp(pixels, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
}
