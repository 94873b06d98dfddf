import { html } from "./markup.js";
import { type Pixels, type Rgb, sharpOf } from "./pixels.js";

/** A place of a sheet. */
export interface Tile {
  /** Of the sheet's tile size. Where there are none, the place stays grey. */
  readonly pixels: Pixels | undefined;
  /** Lines below it, each cut off where it is too long. */
  readonly caption?: string | readonly string[];
}

export interface SheetOptions {
  /** Pixels of each tile. */
  readonly width: number;
  readonly height: number;
  /** Pixels between tiles, and around them. */
  readonly gap: number;
  /** Default white. */
  readonly background?: Rgb;
  /** Colour of captions. Default black. */
  readonly captions?: Rgb;
  /** The first tile of each row stands three gaps away from the others. */
  readonly firstApart?: boolean;
}

export interface Sheet {
  readonly width: number;
  readonly height: number;
  readonly png: Buffer;
}

const WHITE: Rgb = [255, 255, 255];
const BLACK: Rgb = [0, 0, 0];
const MISSING: Rgb = [221, 221, 221];
const LINE = 18; // pixels of a caption's line
const CHARACTER = 7; // pixels that one takes, about

/** Rows of tiles as one picture. */
export async function drawSheet(rows: readonly (readonly Tile[])[], options: SheetOptions): Promise<Sheet> {
  const {
    width: tileWidth,
    height: tileHeight,
    gap,
    background = WHITE,
    captions = BLACK,
    firstApart = false,
  } = options;
  const lines = Math.max(0, ...rows.flatMap((row) => row.map(({ caption }) => linesOf(caption).length)));
  const left = (column: number): number => gap + column * (tileWidth + gap) + (firstApart && column > 0 ? 2 * gap : 0);
  const top = (row: number): number => gap + row * (tileHeight + gap + lines * LINE);
  const [width, height] = [left(Math.max(1, ...rows.map((row) => row.length))), top(Math.max(1, rows.length))];
  const data = new Uint8Array(width * height * 3);
  fill(data, background);
  const blank = new Uint8Array(tileWidth * 3);
  fill(blank, MISSING);
  rows.forEach((tiles, row) => {
    tiles.forEach(({ pixels }, column) => {
      for (let y = 0; y < tileHeight; y++) {
        const line = pixels?.data.subarray(y * tileWidth * 3, (y + 1) * tileWidth * 3) ?? blank;
        data.set(line, ((top(row) + y) * width + left(column)) * 3);
      }
    });
  });
  const image = sharpOf({ width, height, data });
  if (lines > 0)
    image.composite(
      rows.map((tiles, row) => ({
        input: captionsOf(tiles, left, tileWidth, { width, height: lines * LINE, colour: captions }),
        left: 0,
        top: top(row) + tileHeight,
      })),
    );
  return { width, height, png: await image.removeAlpha().png().toBuffer() };
}

/** Tiles in rows of so many. */
export function inRows<T>(tiles: readonly T[], columns: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(tiles.length / columns) }, (_, row) =>
    tiles.slice(row * columns, (row + 1) * columns),
  );
}

function linesOf(caption: Tile["caption"]): readonly string[] {
  if (caption === undefined) return [];
  return typeof caption === "string" ? [caption] : caption;
}

function fill(data: Uint8Array, colour: Rgb): void {
  for (let place = 0; place < data.length; place += 3) data.set(colour, place);
}

/** A row of captions, as SVG: drawn with the system's fonts. */
function captionsOf(
  tiles: readonly Tile[],
  left: (column: number) => number,
  tileWidth: number,
  { width, height, colour }: { readonly width: number; readonly height: number; readonly colour: Rgb },
): Buffer {
  const fitting = Math.floor(tileWidth / CHARACTER);
  const texts = tiles.map(({ caption }, column) =>
    linesOf(caption).map((line, i) => {
      const text = line.length > fitting ? `${line.slice(0, fitting - 1)}…` : line;
      return html`<text x="${left(column)}" y="${13 + i * LINE}">${text}</text>`;
    }),
  );
  const style = html`font-family="sans-serif" font-size="12" fill="rgb(${colour.join(",")})"`;
  return Buffer.from(
    html`<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" ${style}>${texts}</svg>`.text,
  );
}
