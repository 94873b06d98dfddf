import { type Chart, chartFile, type Series } from "../drawing/chart.js";
import { Html, html } from "../drawing/markup.js";
import { clock, counted, percent, thousands } from "../text.js";
import type { Claim } from "./claim.js";
import type { CurvePoint } from "./measure.js";
import type { ClaimResult } from "./result.js";

/** What a result says, in words, as a figure, as a page, and as a section of a document. */

/** "supports the claim: the error of no norms less that of norms is +1.2 points (95 % interval +0.5 to +1.9, 3 seeds)" */
export function verdictSentence(claim: Claim, result: ClaimResult): string {
  const { verdict, effect, low, high, seeds, epochs } = result;
  const { measure } = claim;
  const [treatment, control] = result.arms;
  const opening = {
    supports: "supports the claim",
    "does not": "does not support the claim",
    "can't tell": "can't tell at this size",
  };
  if (effect === null) return `${opening[verdict]}: nothing could be measured`;
  const unit = unitOf(claim, result);
  const interval =
    low === null || high === null
      ? "no interval from one seed"
      : `95 % interval ${unit.format(low)} to ${unit.format(high)}`;
  const short = measure.kind === "epochs-to-error" && result.target !== measure.error;
  const why = short ? `not all runs come to ${percent(measure.error)} training error in ${epochs} epochs; ` : "";
  const says = unit.says(treatment?.name ?? "", control?.name ?? "", unit.format(effect));
  return `${opening[verdict]}: ${why}${says} (${interval}, ${counted(seeds, "seed")})`;
}

interface Unit {
  format(value: number): string;
  /** Of a run's own value. */
  own(value: number): string;
  readonly title: string;
  says(treatment: string, control: string, effect: string): string;
}

function unitOf({ measure }: Claim, { target = 0 }: Pick<ClaimResult, "target">): Unit {
  switch (measure.kind) {
    case "validation-error":
      return {
        title: "validation error",
        format: (value) => `${signed(100 * value, 1)}`,
        own: percent,
        says: (treatment, control, effect) => `the error of ${control} less that of ${treatment} is ${effect} points`,
      };
    case "epochs-to-error":
      return {
        title: `epochs to ${percent(target)} training error`,
        format: (value) => Math.exp(value).toFixed(2),
        own: (value) => value.toFixed(1),
        says: (treatment, control, effect) =>
          `${control} takes ${effect} times the epochs of ${treatment} to ${percent(target)} training error`,
      };
    case "early-loss":
      return {
        title: `mean training loss of the first ${measure.epochs} epochs`,
        format: (value) => signed(value, 3),
        own: (value) => value.toFixed(3),
        says: (treatment, control, effect) =>
          `the loss of ${control} less that of ${treatment}, over the first ${measure.epochs} epochs, is ${effect} nats`,
      };
  }
}

function signed(value: number, digits: number): string {
  return `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(digits)}`;
}

/** Every run as a line: training error, and validation error where that is what is measured. */
export function claimFigure(claim: Claim, result: ClaimResult): string {
  return chartFile(claimCharts(claim, result));
}

export function claimCharts({ measure }: Pick<Claim, "measure">, { arms, epochs }: ClaimResult): readonly Chart[] {
  const draw = (title: string, value: (point: CurvePoint) => number): Chart => ({
    title,
    x: { label: "epoch", low: 0, high: epochs, whole: true, format: String },
    y: {
      low: 0,
      format: (share) => (measure.kind === "early-loss" ? share.toFixed(1) : percent(share).replace(".0 %", " %")),
    },
    series: arms.flatMap(({ name, runs }) =>
      runs.map(
        ({ seed, curve }): Series => ({
          name: `${name}, seed ${seed}`,
          points: curve.map((point) => ({ x: point.epoch, y: value(point) })),
        }),
      ),
    ),
  });
  if (measure.kind === "early-loss") return [draw("training loss (nats)", ({ trainingLoss }) => trainingLoss)];
  const training = draw("training error", ({ trainingError }) => trainingError);
  if (measure.kind === "epochs-to-error") return [training];
  return [training, draw("validation error", ({ validationError }) => validationError ?? Number.NaN)];
}

/** A page that needs nothing else. */
export function claimPage(claim: Claim, result: ClaimResult, figure: string): string {
  const rows = rowsOf(claim, result);
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${claim.name}: a claim of the paper, tried</title>
<style>body { font: 16px/1.5 sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; } td, th { text-align: left; padding: 0.2rem 1rem 0.2rem 0; } svg { max-width: 100%; height: auto; }</style>
</head>
<body>
<h1>${claim.name}</h1>
<p>Section ${claim.section}: “${claim.says}”. Tried: ${claim.compares}.</p>
<p><strong>${capital(verdictSentence(claim, result))}.</strong></p>
${new Html(figure)}
<table>
<thead><tr>${rows.head.map((cell) => html`<th scope="col">${cell}</th>`)}</tr></thead>
<tbody>${rows.body.map((row) => html`<tr>${row.map((cell) => html`<td>${cell}</td>`)}</tr>`)}</tbody>
</table>
<p>${setting(result)}.</p>
<h2>Measured by others</h2>
<ul>${claim.published.map((line) => html`<li>${line}</li>`)}</ul>
</body>
</html>
`.text;
}

/** As Markdown, under a heading. @param figure where the figure lies @param command what was run */
export function claimSection(claim: Claim, result: ClaimResult, figure: string, command: string): string {
  const { head, body } = rowsOf(claim, result);
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [
    `## ${claim.name}`,
    `Section ${claim.section}: "${claim.says}". Tried: ${claim.compares}.`,
    `**${capital(verdictSentence(claim, result))}.**`,
    `![${claim.compares}: every run as a line](${figure})`,
    [line(head), line(head.map(() => "---")), ...body.map(line)].join("\n"),
    `\`${command}\`: ${setting(result)}.`,
    ["Measured by others:", "", ...claim.published.map((text) => `- ${text}`)].join("\n"),
  ].join("\n\n");
}

function rowsOf(claim: Claim, result: ClaimResult) {
  const unit = unitOf(claim, result);
  return {
    head: ["arm", "learning rate", "rates tried", `${unit.title}, by seed`],
    body: result.arms.map(({ name, learningRate, search, runs }) => [
      name,
      String(learningRate),
      search.length === 0 ? "the recipe's" : search.map((tried) => tried.learningRate).join(", "),
      runs.map(({ value }) => (value === null ? "not reached" : unit.own(value))).join(", "),
    ]),
  };
}

function setting({ data, epochs, seeds, seconds, machine }: ClaimResult): string {
  return (
    `${thousands(data.train)} training and ${thousands(data.val)} validation pictures of ${data.classes} classes, 32x32; ` +
    `${counted(epochs, "epoch")}, ${counted(seeds, "seed")}; ${clock(seconds)} on ${machine.processor}, ` +
    counted(machine.threads, "thread")
  );
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
