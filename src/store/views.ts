import { AlexnetError } from "../errors.js";
import type { View } from "../network/picture.js";

import { below, bits, normal, Purpose } from "../random.js";
import type { ColourComponents } from "./colour.js";

const NO_SHIFT = [0, 0, 0] as const;

/** Heights and widths of pictures, and of what a network sees of one. */
export interface CropSizes {
  readonly pictureSize: number;
  readonly cropSize: number;
}

/** The centre crop of one picture, as validation sees it. */
export function centreView({ pictureSize, cropSize }: CropSizes, picture = 0): View {
  const offset = Math.floor((pictureSize - cropSize) / 2);
  return { picture, top: offset, left: offset, mirrored: false, colourShift: NO_SHIFT };
}

/** The four corners and the centre of one picture, each followed by its mirror image (paper section 4.1). */
export function tenViews(sizes: CropSizes, picture = 0): View[] {
  return fiveViews(sizes, picture).flatMap(withMirror);
}

/**
 * So many views of one picture: 1, the centre; 5, corners and centre; 10, these and their mirror images. Of any other
 * even number half is a grid of crops, as nearly square as can be and spread evenly over the picture, each followed by
 * its mirror image: 18 are 3x3, 144 are 8x9.
 * @throws AlexnetError "invalid-option" for numbers that make no grid.
 */
export function viewsOf(count: number, sizes: CropSizes, picture = 0): View[] {
  if (count === 1) return [centreView(sizes, picture)];
  if (count === 2) return withMirror(centreView(sizes, picture));
  if (count === 5) return fiveViews(sizes, picture);
  if (count === 10) return tenViews(sizes, picture);
  const { rows, columns } = gridOf(count);
  const far = sizes.pictureSize - sizes.cropSize;
  const place = (i: number, of: number): number => Math.round((i * far) / (of - 1));
  return Array.from({ length: rows * columns }, (_, i): View => {
    const [row, column] = [Math.floor(i / columns), i % columns];
    return { ...centreView(sizes, picture), top: place(row, rows), left: place(column, columns) };
  }).flatMap(withMirror);
}

/** @throws AlexnetError "invalid-option" for numbers of views that `viewsOf` doesn't have. */
export function checkViewCount(count: number): void {
  viewsOf(count, { pictureSize: 1, cropSize: 1 });
}

function gridOf(count: number): { readonly rows: number; readonly columns: number } {
  const half = count / 2;
  let rows = Math.floor(Math.sqrt(half));
  while (rows > 1 && half % rows !== 0) rows--;
  const columns = half / rows;
  if (!(Number.isInteger(half) && rows >= 2 && columns <= 2 * rows))
    throw new AlexnetError(
      "invalid-option",
      `${count} views: give 1, 2, 5, 10, or twice the number of crops of a grid, such as 18 (3x3) or 144 (8x9)`,
    );
  return { rows, columns };
}

function fiveViews(sizes: CropSizes, picture: number): View[] {
  const far = sizes.pictureSize - sizes.cropSize;
  const centre = centreView(sizes, picture);
  const corners = [0, far].flatMap((top) => [0, far].map((left): View => ({ ...centre, top, left })));
  return [...corners, centre];
}

function withMirror(view: View): View[] {
  return [view, { ...view, mirrored: true }];
}

export interface Augmentation extends CropSizes {
  readonly seed: number;
  readonly epoch: number;
  /** Index in the training split. */
  readonly sample: number;
  readonly colour: ColourComponents;
  /** Whether crops come from random places, else from the centre, and whether half of them are reflected. Default true. */
  readonly crops?: boolean;
  readonly mirrors?: boolean;
  /** Standard deviation of the colour noise's normal draws; 0.1 in the paper, 0 for none. */
  readonly colourDeviation: number;
}

/** A random crop, mirrored half of the time, its colours shifted along their principal components (paper 4.1). */
export function augmentedView(augmentation: Augmentation, picture = 0): View {
  const { seed, epoch, sample, pictureSize, cropSize, crops = true, mirrors = true } = augmentation;
  const places = pictureSize - cropSize + 1;
  const drawn = {
    top: below(places, seed, Purpose.crop, epoch, sample, 0),
    left: below(places, seed, Purpose.crop, epoch, sample, 1),
  };
  return {
    ...centreView(augmentation, picture),
    ...(crops && drawn),
    mirrored: mirrors && bits(seed, Purpose.mirror, epoch, sample) >= 0x8000_0000,
    colourShift: colourShift(augmentation),
  };
}

/** Sum over the components of p a sqrt(l), a ~ N(0, deviation): the deviation of the colours themselves, scaled. */
function colourShift({ seed, epoch, sample, colour, colourDeviation }: Augmentation): View["colourShift"] {
  if (colourDeviation === 0) return NO_SHIFT;
  let [red, green, blue] = [0, 0, 0];
  colour.vectors.forEach((vector, i) => {
    const amount = colourDeviation * normal(seed, Purpose.colour, epoch, sample, i) * Math.sqrt(colour.values[i] ?? 0);
    red += amount * vector[0];
    green += amount * vector[1];
    blue += amount * vector[2];
  });
  return [red, green, blue];
}
