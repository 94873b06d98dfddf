import { type Html, html } from "../drawing/markup.js";
import { wilsonInterval } from "../scoring/interval.js";
import { type ClassScores, errors, precisionAndRecall } from "../scoring/scores.js";
import { thousands } from "../text.js";
import { share, shareRange } from "./text.js";

/** A row for each class; the page's script sorts it by the heading that is clicked. */
export function classSection(classes: readonly ClassScores[]): Html {
  const headings = ["class", "pictures", "top-1 error", "95 % interval", "top-5 error", "precision", "recall"];
  return html`<section id="classes">
<h2>Class by class</h2>
<p>Precision: of the pictures predicted as the class, the share that is of it. Recall: of its pictures, the share that was
taken for it. Choose a heading to sort by it.</p>
<div class="scroll"><table class="sortable">
<thead><tr>${headings.map((name) => html`<th scope="col"><button type="button">${name}</button></th>`)}<th scope="col" class="text"><button type="button">predicted as</button></th></tr></thead>
<tbody>${classes.map(classRow)}</tbody>
</table></div>
</section>`;
}

function classRow(row: ClassScores): Html {
  const { samples, top1Correct } = row;
  const { top1, top5 } = errors(row);
  const { precision, recall } = precisionAndRecall(row);
  const { low, high } = wilsonInterval(samples - top1Correct, samples);
  const cell = (value: number): Html => html`<td data-value="${value}">${share(value)}</td>`;
  const takenFor = row.takenFor === undefined ? "" : `${row.takenFor.name} (${row.takenFor.count})`;
  return html`<tr><th scope="row">${row.name}</th><td data-value="${samples}">${thousands(samples)}</td>${cell(top1)}<td data-value="${low}">${shareRange({ low, high })}</td>${[top5, precision, recall].map(cell)}<td class="text" data-value="${-(row.takenFor?.count ?? 0)}">${takenFor}</td></tr>`;
}
