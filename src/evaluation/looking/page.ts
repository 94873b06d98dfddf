import { type Html, html } from "../../drawing/markup.js";
import { percent, thousands } from "../../text.js";
import { packageVersion } from "../../version.js";
import type { Prediction } from "../classify.js";
import type { HiddenPlace } from "../occlusion.js";
import { style } from "./style.js";

export interface LookPage {
  /** The picture's path or place. */
  readonly picture: string;
  readonly model: string;
  readonly class: string;
  readonly probability: number;
  readonly predictions: readonly Prediction[];
  readonly mostTelling: HiddenPlace;
  readonly cropSize: number;
  readonly layers: readonly LayerSheet[];
}

/** One layer's drawing. */
export interface LayerSheet {
  readonly layer: string;
  /** "convolution", … */
  readonly kind: string;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** Of all values. */
  readonly lowest: number;
  readonly highest: number;
  /** Of the values: those that are 0. */
  readonly shareOfZeros: number;
  /** Relative to the page. */
  readonly file: string;
  /** Where its outputs are the classes': how many of them the drawing names. */
  readonly named?: number;
}

/** A page that shows what a network makes of a picture, layer by layer; its drawings lie beside it. */
export function lookPage(page: LookPage): string {
  const { picture, model, layers } = page;
  const title = picture.split(/[/\\]/).at(-1) ?? picture;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src *; style-src 'unsafe-inline'">
<meta name="generator" content="alexnet ${packageVersion()}">
<title>${title}: what AlexNet makes of it</title>
<style>${style}</style>
</head>
<body>
<header>
<h1>${title}</h1>
<p class="soft">${picture}, by ${model}</p>
<nav aria-label="Layers"><ul>
<li><a href="#answer">answer</a></li>
<li><a href="#reasons">what it depends on</a></li>
${layers.map(({ layer }) => html`<li><a href="#${layer}">${layer}</a></li>`)}
</ul></nav>
</header>
<main>
${answer(page)}
${reasons(page)}
<section id="scale">
<h2>Layer by layer</h2>
<p>Each layer's outputs for this crop, in the order in which the network computes them. All feature maps of a layer share one scale:</p>
<div class="scale"><span>below 0</span><i class="cold"></i><span>0</span><i class="warm"></i><span>most</span></div>
</section>
${layers.map(layerSection)}
</main>
<footer><p>Written by alexnet ${packageVersion()}.</p></footer>
</body>
</html>
`.text;
}

function answer({ predictions, cropSize }: LookPage): Html {
  return html`<section id="answer">
<h2>Answer</h2>
<div class="beside">
<figure><img src="crop.png" alt="The crop that the network sees" width="${2 * cropSize}"><figcaption>what the network sees: the centre, ${cropSize} by ${cropSize} pixels</figcaption></figure>
<ol class="answers">${predictions.map(answerRow)}</ol>
</div>
</section>`;
}

function answerRow({ class: name, probability }: Prediction): Html {
  const width = (100 * probability).toFixed(2);
  return html`<li><span class="bar" style="width:${width}%"></span><span class="name">${name}</span><span>${percent(probability)}</span></li>`;
}

function reasons({ class: name, probability, mostTelling }: LookPage): Html {
  const { size, left, top, probability: without } = mostTelling;
  return html`<section id="reasons">
<h2>What ${name} depends on</h2>
<div class="beside reasons">
<figure><a href="occlusion.png"><img src="occlusion.png" alt="The crop, and where hiding a part costs the class most"></a>
<figcaption>Occlusion: light where hiding a square of ${size} by ${size} pixels takes most from the class's probability. Without the square
at ${left}, ${top} of the prepared picture it is ${percent(without)} in place of ${percent(probability)}.</figcaption></figure>
<figure><a href="saliency.png"><img src="saliency.png" alt="The crop, and the pixels that the class's score depends on"></a>
<figcaption>Saliency: light where the class's score changes most with a pixel's colour.</figcaption></figure>
</div>
</section>`;
}

function layerSection(sheet: LayerSheet): Html {
  const { layer, kind, lowest, highest, shareOfZeros, file } = sheet;
  const zeros = shareOfZeros >= 0.001 ? `, ${percent(shareOfZeros)} of them 0` : "";
  return html`<section id="${layer}">
<h2>${layer}</h2>
<p><span class="soft">${kind}:</span> ${extent(sheet)}; values from ${lowest.toPrecision(3)} to ${highest.toPrecision(3)}${zeros}</p>
<a href="${encodeURI(file)}"><img class="sheet" src="${encodeURI(file)}" alt="${describe(sheet)}" loading="lazy"></a>
</section>`;
}

function extent({ channels, height, width, named }: LayerSheet): string {
  if (named !== undefined)
    return named < channels
      ? `the ${named} highest of ${thousands(channels)} classes, before softmax`
      : `${thousands(channels)} classes, before softmax`;
  if (height * width > 1) return `${thousands(channels)} feature maps of ${height} by ${width}`;
  const side = Math.ceil(Math.sqrt(channels));
  return `${thousands(channels)} units, row by row, ${side} in a row`;
}

function describe({ layer, named }: LayerSheet): string {
  return named === undefined ? `All outputs of ${layer}` : `The outputs of ${layer} by class`;
}
