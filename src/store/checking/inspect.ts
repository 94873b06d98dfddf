import { cropOf, encodePng, squareOf } from "../../drawing/pixels.js";
import { drawSheet, inRows, type Tile } from "../../drawing/sheet.js";
import { pictureBytes } from "../../network/picture.js";
import { Purpose, permutation } from "../../random.js";
import { batches } from "../reading/batches.js";
import { readPicture } from "../reading/read-picture.js";
import { type Store, titleOf } from "../store.js";

const GAP = 4; // pixels between pictures
const FIRST_EPOCH = 0;

/** The mean image as a PNG. */
export function meanImage(store: Store): Promise<Buffer> {
  const pixels = Uint8Array.from(store.mean, (value) => Math.round(value));
  return encodePng(squareOf(store.info.pictureSize, pixels));
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
  for (const index of chosen) {
    const picture = await readPicture(store, "train", index);
    tiles.push({ pixels: squareOf(store.info.pictureSize, picture), caption: classOf(store, index) });
  }
  return sheetOf(tiles, store.info.pictureSize);
}

function classOf(store: Store, index: number | undefined): string {
  const name = store.classes[store.labels("train")[index ?? -1] ?? -1] ?? "";
  return titleOf(store.info, name) ?? name;
}

/** What the network is fed of the same pictures in the first epoch: cropped, mirrored, colours shifted. As a PNG. */
export async function viewSheet(
  store: Store,
  { cropSize, count = 64, seed = 1 }: SheetOptions & { readonly cropSize: number },
): Promise<Buffer> {
  const batchSize = Math.min(count, store.count("train"));
  const fed = { split: "train", views: "augmented", shuffle: true, epoch: FIRST_EPOCH } as const;
  const { pictureSize } = store.info;
  const bytes = pictureBytes(pictureSize);
  const tiles: Tile[] = [];
  for await (const { pictures, views, samples, release } of batches(store, { ...fed, batchSize, cropSize, seed })) {
    for (const view of views) {
      const start = view.picture * bytes;
      const picture = squareOf(pictureSize, pictures.subarray(start, start + bytes));
      const pixels = cropOf(picture, { ...view, size: cropSize });
      tiles.push({ pixels, caption: classOf(store, samples[view.picture]) });
    }
    release();
    if (tiles.length >= batchSize) break; // batches are evened out: the first may have one picture less
  }
  return sheetOf(tiles.slice(0, batchSize), cropSize);
}

/** As nearly square as may be. */
async function sheetOf(tiles: readonly Tile[], size: number): Promise<Buffer> {
  const rows = inRows(tiles, Math.max(1, Math.ceil(Math.sqrt(tiles.length))));
  return (await drawSheet(rows, { width: size, height: size, gap: GAP })).png;
}
