import { confidence, isCorrect, type PicturePrediction } from "./prediction.js";

/** Pictures whose most probable class had about the same probability. */
export interface CalibrationBin {
  /** The bin's confidences are over `low`, up to `high`. */
  readonly low: number;
  readonly high: number;
  readonly count: number;
  /** Mean confidence and share of right answers; 0 where there are no pictures. */
  readonly confidence: number;
  readonly accuracy: number;
}

export interface Calibration {
  /** Of equal width, in order: the reliability curve. */
  readonly bins: readonly CalibrationBin[];
  /** The mean distance between confidence and accuracy, over the pictures: the expected calibration error. */
  readonly expectedError: number;
  /** The largest such distance of a bin. */
  readonly maximumError: number;
}

export const CALIBRATION_BINS = 15;

/** Whether the answers given with 80 % confidence are right 80 % of the time (Guo et al. 2017, section 2). */
export class CalibrationTally {
  readonly #bins = Array.from({ length: CALIBRATION_BINS }, () => ({ count: 0, confidenceSum: 0, correct: 0 }));

  add(prediction: PicturePrediction): void {
    const sure = confidence(prediction);
    const bin = this.#bins.at(Math.min(CALIBRATION_BINS - 1, Math.max(0, Math.ceil(sure * CALIBRATION_BINS) - 1)));
    if (bin === undefined) return; // the confidence is no number
    bin.count++;
    bin.confidenceSum += sure;
    if (isCorrect(prediction)) bin.correct++;
  }

  result(): Calibration {
    const bins = this.#bins.map(({ count, confidenceSum, correct }, i): CalibrationBin => {
      const mean = (sum: number): number => (count === 0 ? 0 : sum / count);
      return {
        low: i / CALIBRATION_BINS,
        high: (i + 1) / CALIBRATION_BINS,
        count,
        confidence: mean(confidenceSum),
        accuracy: mean(correct),
      };
    });
    const samples = bins.reduce((sum, { count }) => sum + count, 0);
    const gap = (bin: CalibrationBin): number => Math.abs(bin.confidence - bin.accuracy);
    return {
      bins,
      expectedError: samples === 0 ? 0 : bins.reduce((sum, bin) => sum + (bin.count / samples) * gap(bin), 0),
      maximumError: Math.max(...bins.map(gap)),
    };
  }
}
