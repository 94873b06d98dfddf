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
  { perClass: classes, confusion }: Evaluation,
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
  const row = (label: number): Html => {
    const columns = shown.map((predicted) => {
      const count = counts.get(keyOf({ label, predicted })) ?? 0;
      return cellOf({ label, predicted, count }, classes);
    });
    return html`<tr><th scope="row">${classes[label]?.name}</th>${columns}</tr>`;
  };
  return html`<section id="confusion">
<h2>Confusion</h2>
<p>${
    shown.length < classes.length
      ? `The ${shown.length} of ${thousands(classes.length)} classes that are confused the most. `
      : ""
  }Each row is a class, each column what its pictures were taken for. Choose a cell to see its pictures.</p>
<div class="scroll"><table class="matrix">
<thead><tr><td></td>${shown.map((i) => html`<th scope="col" title="${classes[i]?.name}"><span>${classes[i]?.name}</span></th>`)}</tr></thead>
<tbody>${shown.map(row)}</tbody>
</table></div>
<div id="cell" role="region" aria-live="polite" aria-label="Pictures of the chosen cell"><p class="hint">No cell is chosen.</p></div>
${pairs.length === 0 ? html`<p>No picture was predicted as another class.</p>` : pairTable(pairs, classes)}
${jsonScript("cells", cells)}
</section>`;
}

/** Classes in their order: all, or those with the most mistakes about them. */
function mostConfused(confusion: readonly ConfusionCell[], classes: number): readonly number[] {
  const all = Array.from({ length: classes }, (_, i) => i);
  if (classes <= MOST_CLASSES) return all;
  const mistakes = new Map<number, number>();
  for (const { label, predicted, count } of confusion) {
    if (label === predicted) continue;
    for (const output of [label, predicted]) mistakes.set(output, (mistakes.get(output) ?? 0) + count);
  }
  return all
    .sort((a, b) => (mistakes.get(b) ?? 0) - (mistakes.get(a) ?? 0) || a - b)
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
          ? `${first.label} predicted as ${first.predicted}`
          : `${first.label}, rightly`;
    cells[key] = { title, count: cell.count, pictures: taken };
  }
  return cells;
}

function cellOf(cell: ConfusionCell, classes: Evaluation["perClass"]): Html {
  if (cell.count === 0) return html`<td></td>`;
  const { label, predicted, count } = cell;
  const samples = classes[label]?.samples ?? count;
  const kind = label === predicted ? "hit" : "miss";
  const says = `${count} of ${samples} ${classes[label]?.name} predicted as ${classes[predicted]?.name}`;
  return html`<td class="${kind}" style="--share:${(count / samples).toFixed(3)}"><button type="button" data-cell="${keyOf(cell)}" aria-label="${says}" title="${says}">${count}</button></td>`;
}

function pairTable(pairs: readonly ConfusionCell[], classes: Evaluation["perClass"]): Html {
  const row = (cell: ConfusionCell): Html => {
    const { name, samples = cell.count } = classes[cell.label] ?? {};
    const predicted = classes[cell.predicted]?.name;
    return html`<tr><th scope="row">${name}</th><td class="text">${predicted}</td><td><button type="button" data-cell="${keyOf(cell)}" aria-label="${cell.count} ${name} predicted as ${predicted}">${thousands(cell.count)}</button></td><td>${share(cell.count / samples)}</td></tr>`;
  };
  return html`<details><summary>The most frequent mistakes</summary><div class="scroll"><table>
<thead><tr><th scope="col">class</th><th scope="col" class="text">predicted as</th><th scope="col">pictures</th><th scope="col">of its class</th></tr></thead>
<tbody>${pairs.map(row)}</tbody></table></div></details>`;
}

function keyOf({ label, predicted }: Pick<ConfusionCell, "label" | "predicted">): string {
  return `${label}-${predicted}`;
}
