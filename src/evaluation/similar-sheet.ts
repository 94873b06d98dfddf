import { basename } from "node:path";
import { resize, squareOf } from "../drawing/pixels.js";
import { drawSheet, type Tile } from "../drawing/sheet.js";
import { describeFault, loadPicture } from "../images/picture.js";
import { DEFAULT_PICTURE_SIZE } from "../network/picture.js";
import { type Task, throwIfStopped, type UnreadableEvent } from "../task.js";
import type { SimilarResult } from "./similar.js";

const SIDE = 128; // pixels of each picture
const GAP = 4;

/**
 * Each query and beside it the pictures like it, as a PNG; as on the right of the paper's figure 4.
 * Pictures that are gone since their features were made are told as unreadable; their places stay grey.
 * @throws AlexnetError "interrupted" when the signal stopped it.
 */
export async function drawSimilar(
  { queries }: Pick<SimilarResult, "queries">,
  task: Task<UnreadableEvent>,
): Promise<Uint8Array> {
  const load = async (file: string): Promise<Tile> => {
    try {
      return { pixels: await resize(squareOf(DEFAULT_PICTURE_SIZE, await loadPicture(file)), SIDE) };
    } catch (error) {
      const fault = `${basename(file)}: left out of the sheet: ${describeFault(error)}`;
      task.report({ kind: "unreadable", file, error: fault });
      return { pixels: undefined };
    }
  };
  const rows: Tile[][] = [];
  for (const { file, neighbours } of queries) {
    throwIfStopped(task, "drawing a sheet");
    rows.push(await Promise.all([file, ...neighbours.map((neighbour) => neighbour.file)].map(load)));
  }
  return (await drawSheet(rows, { width: SIDE, height: SIDE, gap: GAP, firstApart: true })).png;
}
