import type { Box } from "../resample.js";
import type { Orientation } from "./jpeg-segments.js";

const isTransposed = (orientation: Orientation) => orientation >= 5;
const columnsAreReversed = (orientation: Orientation) => [2, 3, 7, 8].includes(orientation);
const rowsAreReversed = (orientation: Orientation) => [3, 4, 6, 7].includes(orientation);

/** Width and height of the upright picture, from those of the stored one, or the other way round. */
export function uprightSize(width: number, height: number, orientation: Orientation): readonly [number, number] {
  return isTransposed(orientation) ? [height, width] : [width, height];
}

/** Where a box of the upright picture lies in the stored one, whose size is given. */
export function storedBox(box: Box, width: number, height: number, orientation: Orientation): Box {
  const { left, top, ...size } = isTransposed(orientation)
    ? { left: box.top, top: box.left, width: box.height, height: box.width }
    : box;
  return {
    left: columnsAreReversed(orientation) ? width - left - size.width : left,
    top: rowsAreReversed(orientation) ? height - top - size.height : top,
    ...size,
  };
}

/** Turns and mirrors a stored picture, (size, size, 3), upright, in its place. */
export function turnUpright(picture: Uint8Array, size: number, orientation: Orientation): void {
  if (orientation === 1) return;
  const [toRight, down] = isTransposed(orientation) ? [size, 1] : [1, size];
  const last = size - 1;
  const stored = picture.slice();
  for (let row = 0; row < size; row++) {
    const y = rowsAreReversed(orientation) ? last - row : row;
    for (let column = 0; column < size; column++) {
      const x = columnsAreReversed(orientation) ? last - column : column;
      const to = (x * toRight + y * down) * 3;
      const from = (row * size + column) * 3;
      picture[to] = stored[from] ?? 0;
      picture[to + 1] = stored[from + 1] ?? 0;
      picture[to + 2] = stored[from + 2] ?? 0;
    }
  }
}
