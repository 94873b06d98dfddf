import { figureOf, frameOf } from "../drawing/chart.js";
import { type Html, html } from "../drawing/markup.js";
import type { Calibration, CalibrationBin } from "../scoring/calibration.js";
import { thousands } from "../text.js";
import { share } from "./text.js";

/** The reliability curve: a bar for each confidence, up to how often it was right. */
export function calibrationSection(calibration: Calibration): Html {
  const rounded = (value: number): string => `${Math.round(100 * value)} %`;
  const { axes, px, py } = frameOf({
    title: "share that was right",
    x: { label: "confidence", low: 0, high: 1, format: rounded },
    y: { low: 0, high: 1, format: rounded },
  });
  const filled = calibration.bins.filter(({ count }) => count > 0);
  const most = Math.max(...filled.map(({ count }) => count));
  const bar = ({ low, high, count, accuracy, confidence }: CalibrationBin): Html =>
    html`<rect x="${px(low) + 1}" width="${px(high) - px(low) - 2}" y="${py(accuracy)}" height="${py(0) - py(accuracy)}" fill-opacity="${(0.25 + 0.75 * (count / most)).toFixed(2)}"><title>${thousands(count)} pictures, sure by ${share(confidence)} on average, ${share(accuracy)} right</title></rect>`;
  const drawing = html`${axes}
<g class="bars">${filled.map(bar)}</g>
<line class="ideal" x1="${px(0)}" y1="${py(0)}" x2="${px(1)}" y2="${py(1)}"/>`;
  const { expectedError, maximumError } = calibration;
  return html`<section id="calibration">
<h2>Calibration</h2>
<p>How sure the network was, and how often it was right then. On the line the two agree; below it the network is too
sure of itself. The mean distance (expected calibration error) is <strong>${share(expectedError)}</strong>, the
largest of a bar ${share(maximumError)}. The darker a bar, the more pictures it stands for.</p>
${figureOf(`Reliability curve: expected calibration error ${share(expectedError)}`, drawing)}
<details><summary>The numbers</summary><div class="scroll"><table>
<thead><tr><th scope="col">confidence</th><th scope="col">pictures</th><th scope="col">mean confidence</th><th scope="col">right</th></tr></thead>
<tbody>${filled.map(({ low, high, count, confidence, accuracy }) => html`<tr><th scope="row">${rounded(low)} to ${rounded(high)}</th><td>${thousands(count)}</td><td>${share(confidence)}</td><td>${share(accuracy)}</td></tr>`)}</tbody>
</table></div></details>
</section>`;
}
