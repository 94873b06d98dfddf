import { basename, dirname, resolve } from "node:path";
import { resize, squareOf } from "../drawing/pixels.js";
import { drawSheet, type Tile } from "../drawing/sheet.js";
import { describeFault, loadPicture } from "../images/picture.js";
import { DEFAULT_PICTURE_SIZE } from "../network/picture.js";
import { type Task, throwIfStopped, type UnreadableEvent } from "../task.js";
import type { SimilarResult } from "./similar.js";

const SIDE = 192; // pixels of each picture
const GAP = 4;

interface Shown {
  readonly file: string;
  /** From the picture searched for; undefined of that itself. */
  readonly distance?: number;
}

/**
 * Each query and beside it the pictures like it, as a PNG; as on the right of the paper's figure 4. Below each stand its
 * distance, the folder that it lies in, which is its class in most sets, and its name.
 * Pictures that are gone since their features were made are told as unreadable; their places stay grey.
 * @throws AlexnetError "interrupted" when the signal stopped it.
 */
export async function drawSimilar(
  { queries }: Pick<SimilarResult, "queries">,
  task: Task<UnreadableEvent>,
): Promise<Uint8Array> {
  const load = async ({ file, distance }: Shown): Promise<Tile> => {
    const folder = basename(dirname(resolve(file)));
    const caption = [distance === undefined ? folder : `${distance.toFixed(2)}  ${folder}`, basename(file)];
    try {
      return { caption, pixels: await resize(squareOf(DEFAULT_PICTURE_SIZE, await loadPicture(file)), SIDE) };
    } catch (error) {
      const fault = `${basename(file)}: left out of the sheet: ${describeFault(error)}`;
      task.report({ kind: "unreadable", file, error: fault });
      return { caption, pixels: undefined };
    }
  };
  const rows: Tile[][] = [];
  for (const { file, neighbours } of queries) {
    throwIfStopped(task, "drawing a sheet");
    rows.push(await Promise.all([{ file }, ...neighbours].map(load)));
  }
  return (await drawSheet(rows, { width: SIDE, height: SIDE, gap: GAP, firstApart: true })).png;
}
