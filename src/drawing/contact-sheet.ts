import { sharp } from "../images/sharp.js";
import { PICTURE_SIZE } from "../network/picture.js";
import { writeWhole } from "../system/files.js";

export interface SheetOptions {
  /** Pixels of a picture's side. */
  readonly size?: number;
  /** Pixels between pictures. */
  readonly gap?: number;
}

/** A picture, (256, 256, 3), or undefined for an empty place. */
export type SheetPicture = Uint8Array | undefined;

const EMPTY = { r: 221, g: 221, b: 221 } as const;

/** Rows of pictures, the first of each set apart, on white; as the paper's figure 4 on the right. */
export async function writeContactSheet(
  path: string,
  rows: readonly (readonly SheetPicture[])[],
  { size = 128, gap = 4 }: SheetOptions = {},
): Promise<void> {
  const columns = Math.max(...rows.map((row) => row.length));
  const left = (column: number): number => gap + column * (size + gap) + (column > 0 ? 2 * gap : 0);
  const top = (row: number): number => gap + row * (size + gap);
  const tiles = rows.flatMap((row, y) =>
    row.map(async (picture, x) => {
      return { input: await tile(picture, size), left: left(x), top: top(y) };
    }),
  );
  const sheet = sharp({
    create: { width: left(columns), height: top(rows.length), channels: 3, background: "white" },
  });
  writeWhole(path, [
    await sheet
      .composite(await Promise.all(tiles))
      .png()
      .toBuffer(),
  ]);
}

function tile(picture: SheetPicture, size: number): Promise<Buffer> {
  const image =
    picture === undefined
      ? sharp({ create: { width: size, height: size, channels: 3, background: EMPTY } })
      : sharp(picture, { raw: { width: PICTURE_SIZE, height: PICTURE_SIZE, channels: 3 } }).resize(size, size);
  return image.png({ compressionLevel: 1 }).toBuffer();
}
