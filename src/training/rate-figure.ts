import type { Chart, Series } from "../drawing/chart.js";
import { type Sweep, upToLowest } from "./find-rate.js";

const HEADROOM = 1.2; // times the highest loss before the lowest: what shoots up beyond it is left out

/** The loss over the learning rate, on a logarithmic axis, with the suggestion marked. */
export function sweepChart({ points, suggested }: Sweep): Chart {
  const ceiling = HEADROOM * Math.max(...upToLowest(points).map(({ loss }) => loss));
  const series = (name: string, value: "loss" | "smoothLoss"): Series => ({
    name,
    points: points
      .map((point) => ({ x: Math.log10(point.learningRate), y: point[value] }))
      .filter(({ y }) => y <= ceiling),
  });
  return {
    title: "loss over the learning rate",
    x: { label: "learning rate", whole: true, format: (power) => (10 ** power).toExponential(0) },
    y: { format: (loss) => Number(loss.toFixed(2)).toString() },
    series: [series("each batch", "loss"), series("moving average", "smoothLoss")],
    marks: suggested === undefined ? [] : [{ x: Math.log10(suggested), label: suggested.toPrecision(2) }],
  };
}
