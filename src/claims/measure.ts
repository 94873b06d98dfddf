import { mean } from "../scoring/quantiles.js";
import type { Measure } from "./claim.js";

/** What one seed of an arm gave. */
export interface ArmRun {
  readonly seed: number;
  /** After each epoch. */
  readonly curve: readonly CurvePoint[];
  /** Of each validation picture, 1 where it was wrong after the last epoch. */
  readonly wrong: readonly number[];
}

export interface CurvePoint {
  readonly epoch: number;
  /** Mean over the epoch, as trained. */
  readonly trainingLoss: number;
  readonly trainingError: number;
  /** Shares of wrong pictures. */
  readonly validationError: number | null;
}

/** What a measure is taken at, once all runs are there. */
export interface Measured {
  /** Of "epochs-to-error": the error that all runs reach. */
  readonly target?: number;
  /** Whether runs came as far as the claim speaks of; if not, what is measured decides nothing. */
  readonly isConclusive: boolean;
  /** One number a run: a share, epochs, or nats. */
  value(run: ArmRun): number;
  /** What the control lacks: above 0 is in the claim's favour. One value, or one a validation picture. */
  difference(treatment: ArmRun, control: ArmRun): readonly number[];
}

export function measured(measure: Measure, runs: readonly ArmRun[]): Measured {
  switch (measure.kind) {
    case "validation-error":
      return {
        isConclusive: true,
        value: ({ wrong }) => mean(wrong),
        difference: (treatment, control) =>
          control.wrong.map((value, picture) => value - (treatment.wrong[picture] ?? Number.NaN)),
      };
    case "epochs-to-error": {
      const target = Math.max(measure.error, ...runs.map(lowestError));
      const value = (run: ArmRun) => epochsTo(target, run);
      return {
        target,
        isConclusive: target === measure.error,
        value,
        difference: (treatment, control) => [Math.log(value(control) / value(treatment))],
      };
    }
    case "early-loss": {
      const value = ({ curve }: ArmRun) => mean(curve.slice(0, measure.epochs).map(({ trainingLoss }) => trainingLoss));
      return { isConclusive: true, value, difference: (treatment, control) => [value(control) - value(treatment)] };
    }
  }
}

function lowestError({ curve }: ArmRun): number {
  return Math.min(...curve.map(({ trainingError }) => trainingError));
}

/**
 * Epochs until the training error is at most `target`, between two epochs in proportion. An epoch's error is the mean over
 * it; the first begins as if nothing had been right.
 */
function epochsTo(target: number, { curve }: ArmRun): number {
  let before = { epoch: 0, trainingError: 1 };
  for (const point of curve) {
    if (point.trainingError <= target) {
      const fall = before.trainingError - point.trainingError;
      const share = fall > 0 ? (before.trainingError - target) / fall : 1;
      return before.epoch + share * (point.epoch - before.epoch);
    }
    before = point;
  }
  return Number.POSITIVE_INFINITY;
}
