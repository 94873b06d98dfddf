import { sharp } from "../../images/sharp.js";
import { PICTURE_BYTES, PICTURE_SIZE, type View } from "../../network/picture.js";
import { Purpose, permutation } from "../../random.js";
import { escapeMarkup } from "../../text.js";
import { batches } from "../reading/batches.js";
import { readPicture } from "../reading/read-picture.js";
import type { Store } from "../store.js";

/** Square RGB pictures, (size, size, 3) each. */
interface Tile {
  readonly size: number;
  readonly pixels: Uint8Array;
  readonly caption: string;
}

const GAP = 4; // pixels between tiles
const CAPTION = 18; // pixels below a tile
const CHARACTER = 7; // pixels that one takes, about
const WHITE = 255;
const FIRST_EPOCH = 0;

/** The mean image as a PNG. */
export function meanImage(store: Store): Promise<Buffer> {
  const pixels = Uint8Array.from(store.mean, (value) => Math.round(value));
  return fromPixels(PICTURE_SIZE, PICTURE_SIZE, pixels).png().toBuffer();
}

export interface SheetOptions {
  /** How many pictures. Default 64. */
  readonly count?: number;
  /** Decides which. Default 1. */
  readonly seed?: number;
}

/** Random training pictures in a grid, with their classes, as a PNG: those that training with this seed begins with. */
export async function pictureSheet(store: Store, { count = 64, seed = 1 }: SheetOptions = {}): Promise<Buffer> {
  const chosen = permutation(store.count("train"), seed, Purpose.shuffle, FIRST_EPOCH).subarray(0, count);
  const tiles: Tile[] = [];
  for (const index of chosen)
    tiles.push({
      size: PICTURE_SIZE,
      pixels: await readPicture(store, "train", index),
      caption: classOf(store, index),
    });
  return sheet(tiles);
}

function classOf(store: Store, index: number): string {
  const name = store.classes[store.labels("train")[index]];
  return store.info.titles[name] ?? name;
}

/** What the network is fed of the same pictures in the first epoch: cropped, mirrored, colours shifted. As a PNG. */
export async function viewSheet(
  store: Store,
  { cropSize, count = 64, seed = 1 }: SheetOptions & { readonly cropSize: number },
): Promise<Buffer> {
  const batchSize = Math.min(count, store.count("train"));
  const fed = { split: "train", views: "augmented", shuffle: true, epoch: FIRST_EPOCH } as const;
  const tiles: Tile[] = [];
  for await (const { pictures, views, samples, release } of batches(store, { ...fed, batchSize, cropSize, seed })) {
    for (const view of views) {
      const caption = classOf(store, samples[view.picture]);
      tiles.push({ size: cropSize, pixels: cut(pictures, view, cropSize), caption });
    }
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

/** Tiles in a grid, each above its caption. */
function sheet(tiles: readonly Tile[]): Promise<Buffer> {
  const columns = Math.max(1, Math.ceil(Math.sqrt(tiles.length)));
  const rows = Math.max(1, Math.ceil(tiles.length / columns));
  const size = tiles[0]?.size ?? 0;
  const pitch = size + GAP;
  const rowPitch = pitch + CAPTION;
  const [width, height] = [columns * pitch + GAP, rows * rowPitch + GAP];
  const pixels = new Uint8Array(width * height * 3).fill(WHITE);
  tiles.forEach((tile, i) => {
    const [left, top] = [GAP + (i % columns) * pitch, GAP + Math.floor(i / columns) * rowPitch];
    for (let y = 0; y < size; y++)
      pixels.set(tile.pixels.subarray(y * size * 3, (y + 1) * size * 3), ((top + y) * width + left) * 3);
  });
  const captions = Array.from({ length: rows }, (_, row) => ({
    input: captionsOf(tiles.slice(row * columns, (row + 1) * columns), pitch, width),
    left: 0,
    top: GAP + row * rowPitch + size,
  }));
  return fromPixels(width, height, pixels).composite(captions).removeAlpha().png().toBuffer();
}

/** A row of captions, as SVG: drawn with the system's fonts. */
function captionsOf(tiles: readonly Tile[], pitch: number, width: number): Buffer {
  const texts = tiles.map(({ caption, size }, i) => {
    const fitting = Math.floor(size / CHARACTER);
    const text = caption.length > fitting ? `${caption.slice(0, fitting - 1)}…` : caption;
    return `<text x="${GAP + i * pitch}" y="13">${escapeText(text)}</text>`;
  });
  return Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${CAPTION}" font-family="sans-serif" font-size="12">${texts.join("")}</svg>`,
  );
}

/** Characters that no SVG may have are left out. */
function escapeText(text: string): string {
  return escapeMarkup(text.replaceAll(/[\p{Cc}\uFFFE\uFFFF]/gu, ""));
}

function fromPixels(width: number, height: number, pixels: Uint8Array) {
  return sharp(pixels, { raw: { width, height, channels: 3 } });
}
