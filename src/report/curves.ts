import { type Axis, lineChart, type Point } from "../drawing/chart.js";
import { type Html, html } from "../drawing/markup.js";
import type { EpochRow, MetricsRow } from "../runs/metrics.js";
import { errors } from "../scoring/scores.js";
import { share } from "./text.js";

const MOST_POINTS = 300; // of a curve: more than the eye tells apart

/** Loss and top-1 error over the epochs; undefined where nothing was recorded. */
export function curves(metrics: readonly MetricsRow[]): Html | undefined {
  const epochs = metrics.filter((row) => row.kind === "epoch");
  const steps = metrics.filter((row) => row.kind === "step");
  const last = metrics.at(-1);
  if (last === undefined) return undefined;
  const place = epochPlaces(epochs);
  const training = (value: (row: MetricsRow) => number): Point[] =>
    thin((steps.length > 0 ? steps : epochs).map((row) => ({ x: place(row), y: value(row) })));
  const validation = (value: (row: NonNullable<EpochRow["validation"]>) => number): Point[] =>
    epochs.flatMap((row) => (row.validation === null ? [] : [{ x: row.epoch, y: value(row.validation) }]));

  const x: Axis = { label: "epoch", low: 0, high: Math.max(1, Math.ceil(place(last))), format: String, whole: true };
  const loss = [
    { name: "training", points: training(({ loss: value }) => value) },
    { name: "validation", points: validation(({ loss: value }) => value), dots: epochs.length <= 60 },
  ];
  const error = [
    { name: "training, top-1", points: training(({ top1 }) => 1 - top1) },
    { name: "validation, top-1", points: validation((row) => errors(row).top1), dots: epochs.length <= 60 },
    { name: "validation, top-5", points: validation((row) => errors(row).top5), dots: epochs.length <= 60 },
  ];
  const highest = Math.max(...loss.flatMap(({ points }) => points.map(({ y }) => (Number.isFinite(y) ? y : 0))));
  return html`<section id="curves">
<h2>Training</h2>
<p>Training is measured as it goes, on pictures cropped and coloured at random and with dropout; validation after each
epoch, on whole centre crops. So the training curve may well lie above the other.</p>
<div class="charts">
${lineChart({ description: `Loss by epoch; ${describe(epochs)}`, x, y: { label: "loss (nats)", low: 0, high: highest * 1.05 || 1, format: String }, series: loss })}
${lineChart({ description: `Error by epoch; ${describe(epochs)}`, x, y: { label: "error", low: 0, high: 1, format: (value) => `${Math.round(100 * value)} %` }, series: error })}
</div>
${epochTable(epochs)}
</section>`;
}

/** Where a row lies on an axis of epochs: steps between the ends of their epochs. */
function epochPlaces(epochs: readonly EpochRow[]): (row: MetricsRow) => number {
  const ends = new Map<number, number>([[0, 0], ...epochs.map(({ epoch, step }) => [epoch, step] as const)]);
  const first = epochs[0];
  const usual = first === undefined ? undefined : first.step / first.epoch; // steps an epoch, for one under way
  return ({ epoch, step }) => {
    const start = ends.get(epoch - 1) ?? 0;
    const length = (ends.get(epoch) ?? Number.NaN) - start;
    const steps = Number.isNaN(length) ? (usual ?? Math.max(1, step)) : length;
    return epoch - 1 + Math.min(1, (step - start) / steps);
  };
}

/** Means of neighbours, so that there are not too many points. */
function thin(points: readonly Point[]): Point[] {
  const size = Math.ceil(points.length / MOST_POINTS);
  if (size <= 1) return [...points];
  return Array.from({ length: Math.ceil(points.length / size) }, (_, i) => {
    const part = points.slice(i * size, (i + 1) * size);
    const mean = (value: (point: Point) => number): number =>
      part.reduce((sum, point) => sum + value(point), 0) / part.length;
    return { x: mean(({ x }) => x), y: mean(({ y }) => y) };
  });
}

function describe(epochs: readonly EpochRow[]): string {
  const [first, last] = [epochs[0], epochs.at(-1)];
  if (first === undefined || last === undefined) return "no epoch has ended yet";
  return `training loss from ${first.loss.toFixed(2)} after the first to ${last.loss.toFixed(2)} after epoch ${last.epoch}`;
}

function epochTable(epochs: readonly EpochRow[]): Html | undefined {
  if (epochs.length === 0) return undefined;
  const row = ({ epoch, learningRate, loss, top1, validation, imagesPerSecond }: EpochRow): Html => {
    const wrong = validation === null ? undefined : errors(validation);
    return html`<tr><th scope="row">${epoch}</th><td>${learningRate.toPrecision(3)}</td><td>${loss.toFixed(4)}</td><td>${share(1 - top1)}</td><td>${validation?.loss.toFixed(4) ?? "–"}</td><td>${wrong ? share(wrong.top1) : "–"}</td><td>${wrong ? share(wrong.top5) : "–"}</td><td>${imagesPerSecond.toFixed(1)}</td></tr>`;
  };
  return html`<details><summary>The numbers, epoch by epoch</summary><div class="scroll"><table>
<thead><tr><th scope="col">epoch</th><th scope="col">learning rate</th><th scope="col">training loss</th><th scope="col">training top-1 error</th><th scope="col">validation loss</th><th scope="col">top-1 error</th><th scope="col">top-5 error</th><th scope="col">pictures/s</th></tr></thead>
<tbody>${epochs.map(row)}</tbody></table></div></details>`;
}
