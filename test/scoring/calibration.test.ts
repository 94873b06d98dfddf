import { describe, expect, it } from "vitest";
import { CalibrationTally } from "#src/scoring/calibration.js";
import { describePrediction } from "#src/scoring/prediction.js";

/** `count` pictures given class 0 with this confidence, of which `correct` are of it. */
function add(tally: CalibrationTally, confidence: number, count: number, correct: number): void {
  for (let i = 0; i < count; i++) {
    const label = i < correct ? 0 : 1;
    const probabilities = Float64Array.of(confidence, 1 - confidence);
    tally.add(describePrediction(probabilities, { split: "val", sample: i, label }));
  }
}

describe("calibration", () => {
  it("is perfect where confidence is the share of right answers", () => {
    const tally = new CalibrationTally();
    add(tally, 0.75, 8, 6);
    add(tally, 1, 3, 3);
    expect(tally.result()).toMatchObject({ expectedError: 0, maximumError: 0 });
  });

  it("weighs each bin's gap by its pictures", () => {
    const tally = new CalibrationTally();
    add(tally, 0.9, 30, 15); // 0.4 too sure
    add(tally, 0.6, 10, 7); // 0.1 not sure enough
    const { bins, expectedError, maximumError } = tally.result();
    expect(expectedError).toBeCloseTo((30 * 0.4 + 10 * 0.1) / 40, 12);
    expect(maximumError).toBeCloseTo(0.4, 12);
    expect(bins).toHaveLength(15);
    expect(bins.map(({ count }) => count)).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 10, 0, 0, 0, 0, 30, 0]);
    expect(bins[13]).toMatchObject({ low: 13 / 15, high: 14 / 15, accuracy: 0.5 });
    expect(bins[13].confidence).toBeCloseTo(0.9, 12);
  });

  it("the upper edge of a bin belongs to it", () => {
    const tally = new CalibrationTally();
    add(tally, 9 / 15, 1, 1);
    add(tally, 9.001 / 15, 1, 1);
    expect(tally.result().bins.map(({ count }) => count)).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]);
  });

  it("counts a network that gives no numbers as sure of nothing, and wrong", () => {
    const tally = new CalibrationTally();
    const probabilities = new Float64Array(2).fill(Number.NaN);
    tally.add(describePrediction(probabilities, { split: "val", sample: 0, label: 0 }));
    expect(tally.result().bins[0]).toMatchObject({ count: 1, confidence: 0, accuracy: 0 });
  });

  it("of nothing is nothing", () => {
    expect(new CalibrationTally().result()).toMatchObject({ expectedError: 0, maximumError: 0 });
  });
});
