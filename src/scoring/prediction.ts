import type { Split } from "../network/picture.js";
import { highest } from "./scores.js";

/** What a network made of one labelled picture. */
export interface PicturePrediction {
  readonly split: Split;
  /** Index in the split. */
  readonly sample: number;
  readonly label: number;
  /** The most probable outputs, five at most, the most probable first; none where there were no numbers. */
  readonly best: readonly number[];
  /** Theirs, in the same order. */
  readonly probabilities: readonly number[];
  /** Of the label. */
  readonly labelProbability: number;
}

/** `probabilities` has one value per output. */
export function describePrediction(
  probabilities: Float64Array,
  place: Pick<PicturePrediction, "split" | "sample" | "label">,
): PicturePrediction {
  const best = highest(probabilities, 5);
  return {
    ...place,
    best,
    probabilities: best.map((output) => probabilities[output] ?? Number.NaN),
    labelProbability: probabilities[place.label] ?? Number.NaN,
  };
}

export function isCorrect({ best, label }: PicturePrediction): boolean {
  return best[0] === label;
}

/** Probability of the most probable class. */
export function confidence({ probabilities: [highestProbability = 0] }: PicturePrediction): number {
  return highestProbability;
}
