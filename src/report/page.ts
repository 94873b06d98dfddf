import { Html, html, jsonScript } from "../drawing/markup.js";
import type { Evaluation } from "../evaluation/evaluate.js";
import { describeLeftOut } from "../evaluation/match-classes.js";
import { wilsonInterval } from "../scoring/interval.js";
import { thousands } from "../text.js";
import { packageVersion } from "../version.js";
import { script } from "./script.js";
import { style } from "./style.js";
import { share, shareRange } from "./text.js";

/** What a page is made of, in the order it is read. */
export interface PageParts {
  readonly title: string;
  readonly evaluation: Evaluation;
  /** Of the model's network and the engine that ran it. */
  readonly subtitle: string;
  readonly sections: readonly (Html | undefined)[];
  /** By id, as data URIs. */
  readonly pictures: Readonly<Record<string, string>>;
  readonly date: Date;
}

/** A whole HTML document that needs nothing else: it may not even ask for it. */
export function page({ title, evaluation, subtitle, sections, pictures, date }: PageParts): string {
  const policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'";
  const shown = sections.filter((section) => section !== undefined);
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="generator" content="alexnet ${packageVersion()}">
<title>${title}: AlexNet report</title>
<style>${new Html(style)}</style>
</head>
<body>
<header>
<h1>${title}</h1>
<p class="soft">${subtitle}</p>
${tiles(evaluation)}
${describeLeftOut(evaluation.leftOut).map((line) => html`<p>${line}</p>`)}
<nav aria-label="Sections"><ul>${shown.map(link)}</ul></nav>
</header>
<main>
${shown}
</main>
<footer><p>Written by alexnet ${packageVersion()} on <time datetime="${date.toISOString()}">${date.toISOString().slice(0, 16).replace("T", " ")} UTC</time>, from ${evaluation.checkpoint} and ${evaluation.data}.</p></footer>
${jsonScript("pictures", pictures)}
<script>${new Html(script)}</script>
</body>
</html>
`.text;
}

function tiles({ samples, top1Correct, top5Correct, loss, calibration, views, split }: Evaluation): Html {
  const error = (correct: number): Html => {
    return html`<strong>${share((samples - correct) / samples)}</strong><span>95 %: ${shareRange(wilsonInterval(samples - correct, samples))}</span>`;
  };
  const seen = views === 1 ? "centre view" : `${views} views averaged`;
  return html`<ul class="tiles">
<li>top-1 error${error(top1Correct)}</li>
<li>top-5 error${error(top5Correct)}</li>
<li>pictures<strong>${thousands(samples)}</strong><span>${split}, ${seen}</span></li>
<li>loss<strong>${loss.toFixed(3)}</strong><span>nats a picture</span></li>
<li>calibration error<strong>${share(calibration.expectedError)}</strong><span>15 bins</span></li>
</ul>`;
}

/** By a section's own id and heading. */
function link({ text }: Html): Html | undefined {
  const [, id, heading] = /<section id="([^"]+)">\s*<h2>([^<]+)<\/h2>/.exec(text) ?? [];
  return id === undefined || heading === undefined
    ? undefined
    : html`<li><a href="#${id}">${new Html(heading)}</a></li>`;
}
