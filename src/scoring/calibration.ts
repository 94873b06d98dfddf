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
  readonly #counts = new Float64Array(CALIBRATION_BINS);
  readonly #confidences = new Float64Array(CALIBRATION_BINS); // sums
  readonly #correct = new Float64Array(CALIBRATION_BINS);

  add(prediction: PicturePrediction): void {
    const sure = confidence(prediction);
    const bin = Math.min(CALIBRATION_BINS - 1, Math.max(0, Math.ceil(sure * CALIBRATION_BINS) - 1));
    this.#counts[bin]++;
    this.#confidences[bin] += sure;
    if (isCorrect(prediction)) this.#correct[bin]++;
  }

  result(): Calibration {
    const bins = Array.from(this.#counts, (count, i): CalibrationBin => {
      const mean = (sum: number): number => (count === 0 ? 0 : sum / count);
      return {
        low: i / CALIBRATION_BINS,
        high: (i + 1) / CALIBRATION_BINS,
        count,
        confidence: mean(this.#confidences[i]),
        accuracy: mean(this.#correct[i]),
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
