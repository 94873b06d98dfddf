import { type Html, html } from "../drawing/markup.js";
import type { LabelledPrediction } from "../evaluation/evaluate.js";
import { Purpose, permutation } from "../random.js";
import { confidence, isCorrect } from "../scoring/prediction.js";
import { type Pictures, pictureFigure, pictureImage } from "./pictures.js";
import { share } from "./text.js";

const SHOWN = 24;
const EXAMPLES = 8; // as in the paper's figure 4

/** The mistakes that cost the most loss: sure of another class, and the right one improbable. */
export async function mistakesSection(predictions: readonly LabelledPrediction[], pictures: Pictures): Promise<Html> {
  const worst = predictions
    .filter((prediction) => !isCorrect(prediction))
    .sort((a, b) => a.labelProbability - b.labelProbability || confidence(b) - confidence(a))
    .slice(0, SHOWN);
  const shown = await pictures.takeAll(worst);
  return html`<section id="mistakes">
<h2>Most confident mistakes</h2>
${
  shown.length === 0
    ? html`<p>There are none: every picture was classified right.</p>`
    : html`<p>The pictures with the highest loss: their true class got the lowest probability. Wrong labels are often among
them.</p><ul class="pictures">${shown.map(pictureFigure)}</ul>`
}
</section>`;
}

export async function uncertainSection(predictions: readonly LabelledPrediction[], pictures: Pictures): Promise<Html> {
  const least = [...predictions].sort((a, b) => confidence(a) - confidence(b)).slice(0, SHOWN);
  const shown = await pictures.takeAll(least);
  return html`<section id="uncertain">
<h2>Least certain</h2>
<p>The pictures whose most probable class was the least probable.</p>
<ul class="pictures">${shown.map(pictureFigure)}</ul>
</section>`;
}

/** Eight pictures drawn at random, of as many classes as there are, with their five best labels. */
export async function examplesSection(
  predictions: readonly LabelledPrediction[],
  classes: readonly string[],
  pictures: Pictures,
): Promise<Html> {
  const drawn = drawExamples(predictions);
  const examples: Html[] = [];
  for (const prediction of drawn) {
    const picture = await pictures.take(prediction);
    if (picture === undefined) continue;
    const bars = prediction.best.map((output, i) => {
      const probability = prediction.probabilities[i] ?? 0;
      const mark = output === prediction.label ? "hit" : "miss";
      return html`<li class="${mark}"><span class="bar" style="width:${(100 * probability).toFixed(1)}%"></span><span class="name">${classes[output]}</span><span class="share">${share(probability)}</span></li>`;
    });
    examples.push(
      html`<li><figure>${pictureImage(picture)}<figcaption>${picture.label}</figcaption></figure><ol>${bars}</ol></li>`,
    );
  }
  return html`<section id="examples">
<h2>Eight pictures and their five best labels</h2>
<p>Drawn at random, as in figure 4 of the paper. The right label's bar is of the other colour, and marked with a tick.</p>
<ul class="examples">${examples}</ul>
</section>`;
}

function drawExamples(predictions: readonly LabelledPrediction[]): readonly LabelledPrediction[] {
  const order = [...permutation(predictions.length, Purpose.shuffle)].flatMap((i) => predictions[i] ?? []);
  const seen = new Set<number>();
  const ofNewClass = order.filter(({ label }) => !seen.has(label) && seen.add(label));
  const rest = order.filter((prediction) => !ofNewClass.includes(prediction));
  return [...ofNewClass, ...rest.slice(0, EXAMPLES)].slice(0, EXAMPLES);
}
