import { type Curve, drawSvg, type Panel } from "../drawing/svg-plot.js";
import { type Sweep, upToLowest } from "./find-rate.js";

/** Loss over the learning rate, on a logarithmic axis, with the suggestion marked; what shoots up leaves the picture. */
export function sweepPanel({ points, suggested }: Sweep): Panel {
  const ceiling = 1.2 * Math.max(...upToLowest(points).map(({ loss }) => loss));
  const curve = (name: string, value: "loss" | "smoothLoss"): Curve => ({
    name,
    points: points
      .map((point) => ({ x: Math.log10(point.learningRate), y: point[value] }))
      .filter(({ y }) => y <= ceiling),
  });
  return {
    title: "loss over the learning rate",
    curves: [curve("each batch", "loss"), curve("moving average", "smoothLoss")],
    xLabel: "learning rate",
    formatX: (power) => (10 ** power).toExponential(0),
    formatY: (loss) => Number(loss.toFixed(2)).toString(),
    marks: suggested === undefined ? [] : [{ x: Math.log10(suggested), label: suggested.toPrecision(2) }],
  };
}

export function sweepSvg(sweep: Sweep): string {
  return drawSvg([sweepPanel(sweep)]);
}
