import type { Chart, Series } from "../drawing/chart.js";
import { percent } from "../text.js";
import { curvesOf, type RunCurves } from "./curves.js";
import type { MetricsRow } from "./metrics.js";

/** One run's metrics, and what to call it where there are several. */
export interface NamedMetrics {
  readonly name: string;
  readonly metrics: readonly MetricsRow[];
}

/** Loss and error over the epochs, all of one run. */
export function runCharts(metrics: readonly MetricsRow[]): readonly [loss: Chart, error: Chart] {
  const { loss, error, rates, epochs } = curvesOf(metrics);
  return [lossChart("loss (nats)", loss, epochs, rates), errorChart("error", error, epochs, rates)];
}

/** What can be compared of several runs: loss and top-1 error on the validation pictures, where they have some. */
export function comparisonCharts(runs: readonly NamedMetrics[]): readonly [loss: Chart, error: Chart] {
  const curves = runs.map(({ name, metrics }) => ({ name, ...curvesOf(metrics) }));
  const epochs = Math.max(...curves.map((run) => run.epochs));
  const together = (of: "loss" | "error", wanted: string): readonly Series[] =>
    curves.flatMap(({ name, [of]: series }) => {
      const chosen = series.find((candidate) => candidate.name === wanted) ?? series[0];
      return chosen === undefined ? [] : [{ name, points: chosen.points }];
    });
  return [
    lossChart("validation loss (nats)", together("loss", "validation"), epochs),
    errorChart("validation top-1 error", together("error", "validation top-1"), epochs),
  ];
}

function lossChart(title: string, series: readonly Series[], epochs: number, marks: RunCurves["rates"] = []): Chart {
  const losses = series.flatMap(({ points }) => points.map(({ y }) => y)).filter(Number.isFinite);
  const highest = losses.reduce((most, loss) => Math.max(most, loss), 0);
  return { title, x: epochAxis(epochs), y: { low: 0, high: 1.05 * highest || 1, format: String }, series, marks };
}

function errorChart(title: string, series: readonly Series[], epochs: number, marks: RunCurves["rates"] = []): Chart {
  const format = (share: number): string => percent(share).replace(".0 %", " %");
  return { title, x: epochAxis(epochs), y: { low: 0, high: 1, format }, series, marks };
}

function epochAxis(epochs: number): Chart["x"] {
  return { label: "epoch", low: 0, high: epochs, whole: true, format: String };
}
