import type { Curve, Point } from "../drawing/svg-plot.js";
import { errors } from "../scoring/scores.js";
import type { EpochRow, MetricsRow } from "./metrics.js";

/** What a run's metrics say over its epochs. Training curves are of augmented pictures with dropout. */
export interface RunCurves {
  /** Mean cross-entropy, in nats. */
  readonly loss: readonly Curve[];
  /** Shares of wrong pictures. */
  readonly error: readonly Curve[];
  /** Where the learning rate changed, and to what. */
  readonly rates: readonly Point[];
}

const MOST_POINTS = 400; // of a curve: more than the eye tells apart

export function curvesOf(metrics: readonly MetricsRow[]): RunCurves {
  const epochs = metrics.filter((row): row is EpochRow => row.kind === "epoch");
  const steps = metrics.filter((row) => row.kind === "step");
  const place = placesOf(epochs);
  const rows = steps.length > 0 ? steps : epochs;
  const training = (value: (row: MetricsRow) => number): readonly Point[] =>
    thin(rows.map((row) => ({ x: place(row), y: value(row) })));
  const validation = (value: (row: NonNullable<EpochRow["validation"]>) => number): readonly Point[] =>
    epochs.flatMap((row) => (row.validation === null ? [] : [{ x: row.epoch, y: value(row.validation) }]));
  const named = (name: string, points: readonly Point[]): Curve[] => (points.length === 0 ? [] : [{ name, points }]);
  return {
    loss: [
      ...named(
        "training",
        training(({ loss }) => loss),
      ),
      ...named(
        "validation",
        validation(({ loss }) => loss),
      ),
    ],
    error: [
      ...named(
        "training top-1",
        training(({ top1 }) => 1 - top1),
      ),
      ...named(
        "validation top-1",
        validation((scores) => errors(scores).top1),
      ),
      ...named(
        "validation top-5",
        validation((scores) => errors(scores).top5),
      ),
    ],
    rates: epochs
      .filter((row, i) => row.learningRate !== epochs[i - 1]?.learningRate)
      .map((row) => ({ x: row.epoch - 1, y: row.learningRate })),
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

/** Means of neighbours, so that there are not too many points. */
function thin(points: readonly Point[]): readonly Point[] {
  const size = Math.ceil(points.length / MOST_POINTS);
  if (size <= 1) return points;
  return Array.from({ length: Math.ceil(points.length / size) }, (_, i) => {
    const part = points.slice(i * size, (i + 1) * size);
    const mean = (key: keyof Point): number => part.reduce((sum, point) => sum + point[key], 0) / part.length;
    return { x: mean("x"), y: mean("y") };
  });
}
