import type { Mark, Series } from "../drawing/chart.js";
import { type Point, thin } from "../drawing/points.js";
import { errors } from "../scoring/scores.js";
import type { EpochRow, MetricsRow } from "./metrics.js";

/** What a run's metrics say over its epochs. Training is measured on augmented pictures, with dropout. */
export interface RunCurves {
  /** Mean cross-entropy, in nats. */
  readonly loss: readonly Series[];
  /** Shares of wrong pictures. */
  readonly error: readonly Series[];
  /** Where the learning rate changed, and to what. */
  readonly rates: readonly Mark[];
  /** The epoch in which the last row was recorded. */
  readonly epochs: number;
}

const MOST_POINTS = 400; // of a curve: more than the eye tells apart

export function curvesOf(metrics: readonly MetricsRow[]): RunCurves {
  const epochs = metrics.filter((row) => row.kind === "epoch");
  const steps = metrics.filter((row) => row.kind === "step");
  const place = placesOf(epochs);
  const rows = steps.length > 0 ? steps : epochs;
  const training = (name: string, value: (row: MetricsRow) => number): Series => ({
    name,
    points: thin(
      rows.map((row) => ({ x: place(row), y: value(row) })),
      MOST_POINTS,
    ),
  });
  const validation = (name: string, value: (scores: NonNullable<EpochRow["validation"]>) => number): Series => ({
    name,
    points: epochs.flatMap((row): Point[] =>
      row.validation === null ? [] : [{ x: row.epoch, y: value(row.validation) }],
    ),
  });
  const top5 = validation("validation top-5", (scores) => errors(scores).top5);
  const isZero = top5.points.every(({ y }) => y === 0); // as it always is of five classes or fewer
  const drawn = (series: readonly Series[]) => series.filter(({ points }) => points.length > 0);
  return {
    loss: drawn([training("training", ({ loss }) => loss), validation("validation", ({ loss }) => loss)]),
    error: drawn([
      training("training top-1", ({ top1 }) => 1 - top1),
      validation("validation top-1", (scores) => errors(scores).top1),
      ...(isZero ? [] : [top5]),
    ]),
    rates: epochs
      .filter((row, i) => i > 0 && row.learningRate !== epochs[i - 1]?.learningRate)
      .map((row) => ({ x: row.epoch - 1, label: row.learningRate.toExponential(0) })),
    epochs: Math.max(1, ...metrics.slice(-1).map(({ epoch }) => epoch)),
  };
}

/** Where a row lies on an axis of epochs: steps between the ends of their epochs. */
function placesOf(epochs: readonly EpochRow[]): (row: MetricsRow) => number {
  const ends = new Map<number, number>([[0, 0], ...epochs.map(({ epoch, step }) => [epoch, step] as const)]);
  const first = epochs[0];
  const usual = first === undefined ? undefined : first.step / first.epoch; // steps an epoch, for one under way
  return ({ epoch, step }) => {
    const start = ends.get(epoch - 1) ?? 0;
    const end = ends.get(epoch);
    return epoch - 1 + Math.min(1, (step - start) / (end === undefined ? (usual ?? step) : end - start));
  };
}
