/** What a network is shown: pictures as they are stored, what a sample sees of one, and how pixels become numbers. */

/** Pictures are stored as squares of this height and width (paper section 2) unless asked otherwise. */
export const DEFAULT_PICTURE_SIZE = 256;
export const COLOURS = 3;

/** Bytes of one picture of a height and width, and values of its mean image: (size, size, 3). */
export function pictureBytes(size: number): number {
  return size * size * COLOURS;
}

/** Height and width of pictures, made up for a network alone, that its crop fits into. */
export function pictureSizeFor(cropSize: number): number {
  return Math.max(DEFAULT_PICTURE_SIZE, cropSize);
}

/** Height and width of the pictures that a mean image is of; not whole where it is not of squares in three colours. */
export function pictureSizeOf({ mean }: Pick<Preprocessing, "mean">): number {
  return Math.sqrt(mean.length / COLOURS);
}

/** The parts of a picture set. */
export const splits = ["train", "val"] as const;
export type Split = (typeof splits)[number];

/** How pictures become numbers: (pixel + colour shift - mean) * scale, at the picture's own coordinates. */
export interface Preprocessing {
  /**
   * Mean image, (size, size, 3), 0 to 255; subtracted before cropping (paper section 2). Its size is that of the pictures
   * that it goes with.
   */
  readonly mean: Float32Array;
  /** Per channel, red, green, blue. 1 in the paper. */
  readonly scale: readonly [number, number, number];
}

/** What one sample of a batch sees of its picture. */
export interface View {
  /** Index into the batch's pictures; ten views may share one. */
  readonly picture: number;
  /** Upper left corner of the crop in the picture. */
  readonly top: number;
  readonly left: number;
  /** Reflected left to right, after cropping. */
  readonly mirrored: boolean;
  /** Added to red, green and blue of every pixel, in units of 0 to 255 (paper section 4.1). */
  readonly colourShift: readonly [number, number, number];
}

/** Pictures as the store gives them, untouched; the engine's first layer crops, mirrors, shifts and subtracts. */
export interface Batch {
  /** (pictures, size, size, 3), red, green, blue; size is the mean image's. On a SharedArrayBuffer it crosses to the compute thread uncopied. */
  readonly pictures: Uint8Array;
  /** Views show the pictures that the program holds, by their index among those; `pictures` is empty. */
  readonly held?: boolean;
  /** One per sample, at most the program's batch size. */
  readonly views: readonly View[];
  /** One class per sample; not read when predicting. */
  readonly labels: Int32Array;
  /** What each sample's loss, and so its gradient, is multiplied by in training: numbers from 0. Default: 1 for all. */
  readonly weights?: Float32Array;
  /**
   * For programs that begin `after` a layer, which look at no pictures: what that layer makes of each view,
   * (views, channels, height, width). On a SharedArrayBuffer as pictures are.
   */
  readonly activations?: Float32Array;
}
