import { chartFigure } from "../drawing/chart.js";
import { type Html, html } from "../drawing/markup.js";
import { runCharts } from "../runs/figures.js";
import type { EpochRow, MetricsRow } from "../runs/metrics.js";
import { errors } from "../scoring/scores.js";
import { share } from "./text.js";

/** Loss and error over the epochs; undefined where nothing was recorded. */
export function curves(metrics: readonly MetricsRow[]): Html | undefined {
  if (metrics.length === 0) return undefined;
  const epochs = metrics.filter((row) => row.kind === "epoch");
  const [loss, error] = runCharts(metrics);
  return html`<section id="curves">
<h2>Training</h2>
<p>Training is measured as it goes, on pictures cropped and coloured at random and with dropout; validation after each
epoch, on whole centre crops. So the training curve may well lie above the other.${
    loss.marks?.length ? " A dotted line stands where the learning rate changed, under its new value." : ""
  }</p>
<div class="charts">
${chartFigure(loss, `Loss by epoch; ${describe(epochs)}`)}
${chartFigure(error, `Error by epoch; ${describe(epochs)}`)}
</div>
${epochTable(epochs)}
</section>`;
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
