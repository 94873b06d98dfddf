import { type Html, html, jsonScript } from "../drawing/markup.js";
import type { Evaluation, LabelledPrediction } from "../evaluation/evaluate.js";
import type { ConfusionCell } from "../scoring/scores.js";
import { thousands } from "../text.js";
import type { Pictures, ShownPicture } from "./pictures.js";
import { share } from "./text.js";

const MOST_CLASSES = 40; // rows and columns that a page can show
const MOST_PAIRS = 30;
const PICTURES_A_CELL = 12;

/** The matrix; the page's script shows a cell's pictures when it is clicked. */
export async function confusionSection(
  { classes, confusion }: Evaluation,
  predictions: readonly LabelledPrediction[],
  pictures: Pictures,
): Promise<Html> {
  const shown = mostConfused(confusion, classes.length);
  const isShown = new Set(shown);
  const counts = new Map(confusion.map((cell) => [keyOf(cell), cell.count]));
  const pairs = confusion
    .filter(({ label, predicted }) => label !== predicted)
    .sort((a, b) => b.count - a.count)
    .slice(0, MOST_PAIRS);
  const clickable = [
    ...pairs,
    ...confusion.filter(({ label, predicted }) => isShown.has(label) && isShown.has(predicted)),
  ];
  const cells = await takeCells(clickable, predictions, pictures);
  const names = classes.map(({ name }) => name);
  return html`<section id="confusion">
<h2>Confusion</h2>
<p>${
    shown.length < classes.length
      ? `The ${shown.length} of ${thousands(classes.length)} classes that are confused the most. `
      : ""
  }Each row is a class, each column what its pictures were taken for. Choose a cell to see its pictures.</p>
<div class="scroll"><table class="matrix">
<thead><tr><td></td>${shown.map((i) => html`<th scope="col" title="${names[i]}"><span>${names[i]}</span></th>`)}</tr></thead>
<tbody>${shown.map((label) => html`<tr><th scope="row">${names[label]}</th>${shown.map((predicted) => cellOf(names, label, predicted, counts.get(keyOf({ label, predicted })) ?? 0, classes[label].samples))}</tr>`)}</tbody>
</table></div>
<div id="cell" role="region" aria-live="polite" aria-label="Pictures of the chosen cell"><p class="hint">No cell is chosen.</p></div>
${pairs.length === 0 ? html`<p>No picture was taken for another class.</p>` : pairTable(names, pairs, classes)}
${jsonScript("cells", cells)}
</section>`;
}

/** Classes in their order: all, or those with the most mistakes about them. */
function mostConfused(confusion: readonly ConfusionCell[], classes: number): readonly number[] {
  const all = Array.from({ length: classes }, (_, i) => i);
  if (classes <= MOST_CLASSES) return all;
  const mistakes = new Float64Array(classes);
  for (const { label, predicted, count } of confusion) {
    if (label === predicted) continue;
    mistakes[label] += count;
    mistakes[predicted] += count;
  }
  return all
    .sort((a, b) => mistakes[b] - mistakes[a] || a - b)
    .slice(0, MOST_CLASSES)
    .sort((a, b) => a - b);
}

interface ShownCell {
  readonly title: string;
  readonly count: number;
  readonly pictures: readonly ShownPicture[];
}

/** By cell, some of its pictures: mistakes before the rest, so that they are there when the page gets full. */
async function takeCells(
  wanted: readonly ConfusionCell[],
  predictions: readonly LabelledPrediction[],
  pictures: Pictures,
): Promise<Readonly<Record<string, ShownCell>>> {
  const byCell = new Map<string, LabelledPrediction[]>();
  for (const prediction of predictions) {
    const [predicted = -1] = prediction.best;
    const key = keyOf({ label: prediction.label, predicted });
    const members = byCell.get(key);
    if (members === undefined) byCell.set(key, [prediction]);
    else if (members.length < PICTURES_A_CELL) members.push(prediction);
  }
  const isMistake = ({ label, predicted }: ConfusionCell): boolean => label !== predicted;
  const cells: Record<string, ShownCell> = {};
  for (const cell of [...wanted].sort((a, b) => Number(isMistake(b)) - Number(isMistake(a)) || b.count - a.count)) {
    const key = keyOf(cell);
    if (Object.hasOwn(cells, key)) continue;
    const taken = await pictures.takeAll(byCell.get(key) ?? []);
    const [first] = taken;
    const title =
      first === undefined
        ? "No room was left for these pictures"
        : isMistake(cell)
          ? `${first.label} taken for ${first.predicted}`
          : `${first.label}, rightly`;
    cells[key] = { title, count: cell.count, pictures: taken };
  }
  return cells;
}

function cellOf(names: readonly string[], label: number, predicted: number, count: number, samples: number): Html {
  if (count === 0) return html`<td></td>`;
  const part = count / samples;
  const kind = label === predicted ? "hit" : "miss";
  const says = `${count} of ${samples} ${names[label]} taken for ${names[predicted]}`;
  return html`<td class="${kind}" style="--share:${part.toFixed(3)}"><button type="button" data-cell="${keyOf({ label, predicted })}" aria-label="${says}" title="${says}">${count}</button></td>`;
}

function pairTable(names: readonly string[], pairs: readonly ConfusionCell[], classes: Evaluation["classes"]): Html {
  const row = ({ label, predicted, count }: ConfusionCell): Html =>
    html`<tr><th scope="row">${names[label]}</th><td class="text">${names[predicted]}</td><td><button type="button" data-cell="${keyOf({ label, predicted })}" aria-label="${count} ${names[label]} taken for ${names[predicted]}">${thousands(count)}</button></td><td>${share(count / classes[label].samples)}</td></tr>`;
  return html`<details><summary>The most frequent mistakes</summary><div class="scroll"><table>
<thead><tr><th scope="col">class</th><th scope="col" class="text">taken for</th><th scope="col">pictures</th><th scope="col">of its class</th></tr></thead>
<tbody>${pairs.map(row)}</tbody></table></div></details>`;
}

function keyOf({ label, predicted }: Pick<ConfusionCell, "label" | "predicted">): string {
  return `${label}-${predicted}`;
}
