import { basename } from "node:path";
import { resize, squareOf } from "../drawing/pixels.js";
import { drawSheet, type Tile } from "../drawing/sheet.js";
import { loadPicture } from "../images/picture.js";
import { PICTURE_SIZE } from "../network/picture.js";
import type { SimilarResult } from "./similar.js";

const SIDE = 128; // pixels of each picture
const GAP = 4;

/**
 * Each query and beside it the pictures like it, as a PNG; as on the right of the paper's figure 4.
 * @param onMissing told of pictures that are gone since their features were made: their places stay grey
 */
export async function drawSimilar(
  { queries }: Pick<SimilarResult, "queries">,
  onMissing: (error: string) => void,
): Promise<Uint8Array> {
  const load = async (file: string): Promise<Tile> => {
    try {
      return { pixels: await resize(squareOf(PICTURE_SIZE, await loadPicture(file)), SIDE) };
    } catch (error) {
      onMissing(`${basename(file)}: left out of the sheet: ${error instanceof Error ? error.message : error}`);
      return { pixels: undefined };
    }
  };
  const rows: Tile[][] = [];
  for (const { file, neighbours } of queries)
    rows.push(await Promise.all([file, ...neighbours.map((neighbour) => neighbour.file)].map(load)));
  return (await drawSheet(rows, { width: SIDE, height: SIDE, gap: GAP, firstApart: true })).png;
}
