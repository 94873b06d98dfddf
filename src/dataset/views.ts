import type { View } from "../engine/engine.js";
import { PICTURE_SIZE } from "../images/geometry.js";
import { below, bits, normal, Purpose } from "../random.js";
import type { ColourComponents } from "./statistics.js";

const NO_SHIFT = [0, 0, 0] as const;

/** The centre crop of one picture, as validation sees it. */
export function centreView(cropSize: number, picture = 0): View {
  const offset = Math.floor((PICTURE_SIZE - cropSize) / 2);
  return { picture, top: offset, left: offset, mirrored: false, colourShift: NO_SHIFT };
}

/** The four corners and the centre of one picture, each followed by its mirror image (paper section 4.1). */
export function tenViews(cropSize: number, picture = 0): View[] {
  const far = PICTURE_SIZE - cropSize;
  const centre = Math.floor(far / 2);
  const corners = [
    [0, 0],
    [0, far],
    [far, 0],
    [far, far],
    [centre, centre],
  ];
  return corners.flatMap(([top, left]) =>
    [false, true].map((mirrored) => ({ picture, top, left, mirrored, colourShift: NO_SHIFT })),
  );
}

export interface Augmentation {
  readonly seed: number;
  readonly epoch: number;
  /** Index in the training split. */
  readonly sample: number;
  readonly cropSize: number;
  readonly colour: ColourComponents;
  /** Deviation of the colour noise's normal draws; 0.1 in the paper, 0 for none. */
  readonly colourDeviation: number;
}

/** A random crop, mirrored half of the time, its colours shifted along their principal components (paper 4.1). */
export function augmentedView(augmentation: Augmentation, picture = 0): View {
  const { seed, epoch, sample, cropSize } = augmentation;
  const places = PICTURE_SIZE - cropSize + 1;
  return {
    picture,
    top: below(places, seed, Purpose.crop, epoch, sample, 0),
    left: below(places, seed, Purpose.crop, epoch, sample, 1),
    mirrored: bits(seed, Purpose.mirror, epoch, sample) >= 0x8000_0000,
    colourShift: colourShift(augmentation),
  };
}

/** Sum over the components of p a sqrt(l), a ~ N(0, deviation): the deviation of the colours themselves, scaled. */
function colourShift({ seed, epoch, sample, colour, colourDeviation }: Augmentation): View["colourShift"] {
  if (colourDeviation === 0) return NO_SHIFT;
  const shift: [number, number, number] = [0, 0, 0];
  colour.vectors.forEach((vector, i) => {
    const amount = colourDeviation * normal(seed, Purpose.colour, epoch, sample, i) * Math.sqrt(colour.values[i] ?? 0);
    for (let channel = 0; channel < 3; channel++) shift[channel] += amount * vector[channel];
  });
  return shift;
}
