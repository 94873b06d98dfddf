import { type Curve, drawSvg, type Panel } from "../drawing/svg-plot.js";
import type { TerminalPlot } from "../drawing/terminal-plot.js";
import { percent } from "../text.js";
import { curvesOf } from "./curves.js";
import type { MetricsRow } from "./metrics.js";

/** One run's metrics, and what to call it where there are several. */
export interface NamedMetrics {
  readonly name: string;
  readonly metrics: readonly MetricsRow[];
}

/** Loss and error over the epochs: of one run in full, of several what can be compared. */
export function runPanels(runs: readonly NamedMetrics[]): readonly Panel[] {
  const curves = runs.map(({ name, metrics }) => ({ name, ...curvesOf(metrics) }));
  const [only] = curves;
  const together = curves.length === 1 && only !== undefined;
  const loss = together ? only.loss : curves.flatMap(({ name, loss }) => renamed(name, loss, "validation"));
  const error = together ? only.error : curves.flatMap(({ name, error }) => renamed(name, error, "validation top-1"));
  const marks = together ? only.rates.slice(1).map(({ x, y }) => ({ x, label: y.toExponential(0) })) : [];
  const axes = { xLabel: "epoch", formatX: String, marks };
  return [
    { ...axes, title: together ? "loss (nats)" : "validation loss (nats)", curves: loss, formatY: String, low: 0 },
    { ...axes, title: together ? "error" : "validation top-1 error", curves: error, formatY: whole, low: 0, high: 1 },
  ];
}

/** A run's one curve of this name, or its first, under the run's name. */
function renamed(name: string, curves: readonly Curve[], wanted: string): readonly Curve[] {
  const curve = curves.find((candidate) => candidate.name === wanted) ?? curves[0];
  return curve === undefined ? [] : [{ name, points: curve.points }];
}

/** The same for the terminal. */
export function terminalPlot({ title, curves, xLabel, formatX, formatY }: Panel): TerminalPlot {
  return {
    title,
    series: curves,
    xLabel,
    formatX: (x) => formatX(Number(x.toFixed(1))),
    formatY: (y) => formatY(Number(y.toFixed(3))),
  };
}

export function runSvg(runs: readonly NamedMetrics[]): string {
  return drawSvg(runPanels(runs));
}

function whole(share: number): string {
  return percent(share).replace(".0 %", " %");
}
