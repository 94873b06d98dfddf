import { AlexnetError } from "../errors.js";
import { pictureBytes } from "../network/picture.js";

import { centreView } from "../store/views.js";
import { type ProgressEvent, type Task, throwIfStopped } from "../task.js";
import type { LoadedModel } from "./loaded-model.js";

export interface OcclusionOptions {
  /** Pixels of the hiding square's side. Default 48. */
  readonly size?: number;
  /** Pixels from one place to the next. Default 16. */
  readonly step?: number;
}

/** A hidden square of the picture and what the class's probability was then. */
export interface HiddenPlace {
  readonly top: number;
  readonly left: number;
  readonly size: number;
  readonly probability: number;
}

export interface Occlusion {
  /** With nothing hidden. */
  readonly probability: number;
  readonly places: readonly HiddenPlace[];
  /** (crop size, crop size): how much hiding a pixel costs, the mean over the squares that hide it. */
  readonly drops: Float32Array;
}

const BATCH = 32;

/**
 * How the probability of class number `target` changes when a square of the centre crop is hidden, square by square
 * (Zeiler and Fergus 2014, section 4.2). What hides is the mean image: nothing, to the network.
 * @throws AlexnetError "invalid-option" for a square that doesn't fit, "interrupted" when the signal stopped it.
 */
export async function occlude(
  { model, sizes, programs }: LoadedModel,
  picture: Uint8Array,
  target: number,
  { size = 48, step = 16 }: OcclusionOptions = {},
  task: Task<ProgressEvent>,
): Promise<Occlusion> {
  const { network, preprocessing, classes } = model;
  const cropSize = network.input.size;
  if (size > cropSize || step > size)
    throw new AlexnetError(
      "invalid-option",
      `occlusion: a square of ${size} in steps of ${step} leaves parts of ${cropSize} out; give a square up to the crop's size, and steps up to the square's`,
    );
  const bytes = pictureBytes(sizes.pictureSize);
  const view = centreView(sizes);
  const corners = cornersOf(cropSize, size, step);
  const { program, release } = await programs.acquire(BATCH);
  try {
    const places: HiddenPlace[] = [];
    let probability = Number.NaN;
    for (let start = 0; start < corners.length; start += BATCH - 1) {
      const part = corners.slice(start, start + BATCH - 1);
      const pictures = new Uint8Array(new SharedArrayBuffer((part.length + 1) * bytes));
      pictures.set(picture); // the whole one is the first of each batch
      part.forEach(({ top, left }, i) => {
        const hidden = pictures.subarray((i + 1) * bytes, (i + 2) * bytes);
        hidden.set(picture);
        hide(hidden, preprocessing.mean, sizes.pictureSize, { top: view.top + top, left: view.left + left, size });
      });
      const views = [0, ...part.keys()].map((_, i) => ({ ...view, picture: i }));
      const outputs = await program.predict({ pictures, views, labels: new Int32Array(views.length) });
      const of = (i: number): number => outputs[i * classes.length + target] ?? Number.NaN;
      probability = of(0);
      part.forEach(({ top, left }, i) => {
        places.push({ top: view.top + top, left: view.left + left, size, probability: of(i + 1) });
      });
      task.report({ kind: "progress", of: "hiding parts", done: places.length, total: corners.length });
      throwIfStopped(task, "looking");
    }
    const dropAt = places.map((place) => probability - place.probability);
    return { probability, places, drops: spread(corners, dropAt, size, cropSize) };
  } finally {
    release();
  }
}

interface Corner {
  readonly top: number;
  readonly left: number;
}

/** In the crop; the last ones touch its edges. */
function cornersOf(cropSize: number, size: number, step: number): readonly Corner[] {
  const far = cropSize - size;
  const along = Array.from({ length: Math.ceil(far / step) + 1 }, (_, i) => Math.min(i * step, far));
  return along.flatMap((top) => along.map((left) => ({ top, left })));
}

function hide(
  picture: Uint8Array,
  mean: Float32Array,
  pictureSize: number,
  { top, left, size }: Omit<HiddenPlace, "probability">,
): void {
  for (let y = top; y < top + size; y++)
    for (let i = (y * pictureSize + left) * 3; i < (y * pictureSize + left + size) * 3; i++)
      picture[i] = Math.round(mean[i] ?? 0);
}

/** The mean over the squares at each pixel. */
function spread(corners: readonly Corner[], values: readonly number[], size: number, cropSize: number): Float32Array {
  const sums = new Float32Array(cropSize * cropSize);
  const counts = new Float32Array(cropSize * cropSize);
  for (const [n, { top, left }] of corners.entries()) {
    const value = values[n] ?? Number.NaN;
    for (let y = top; y < top + size; y++)
      for (let i = y * cropSize + left; i < y * cropSize + left + size; i++) {
        sums[i] = (sums[i] ?? 0) + value;
        counts[i] = (counts[i] ?? 0) + 1;
      }
  }
  return sums.map((sum, i) => sum / (counts[i] ?? 0));
}
