import { type Html, html } from "./markup.js";

/** Drawings as inline SVG. Their colours come from the page, so that they follow its light or dark scheme. */

export interface Series {
  readonly name: string;
  /** Left to right. */
  readonly points: readonly Point[];
  /** Marks each point; for few of them. */
  readonly dots?: boolean;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Axis {
  readonly label: string;
  readonly low: number;
  readonly high: number;
  /** Only whole numbers have a tick. */
  readonly whole?: boolean;
  format(value: number): string;
}

export interface LineChart {
  /** What it shows, in a sentence, for those who don't see it. */
  readonly description: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
}

const WIDTH = 440;
const HEIGHT = 280;
const MARGIN = { left: 52, right: 22, top: 12, bottom: 40 } as const;
const DOT = 3;

/** Points that are not numbers, such as losses of a run that diverged, break a line. */
export function lineChart(chart: LineChart): Html {
  const frame = frameOf(chart.x, chart.y);
  return html`<figure class="chart">
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${chart.description}">
${frame.grid}
${chart.series.map((series, i) => drawSeries(series, i + 1, frame))}
</svg>
<figcaption>${legend(chart.series.map(({ name }) => name))}</figcaption>
</figure>`;
}

export function legend(names: readonly string[]): Html {
  return html`<ul class="legend">${names.map((name, i) => html`<li class="series-${i + 1}"><svg viewBox="0 0 24 8" aria-hidden="true"><line x1="0" y1="4" x2="24" y2="4"/></svg>${name}</li>`)}</ul>`;
}

export interface Frame {
  readonly grid: Html;
  px(x: number): number;
  py(y: number): number;
}

/** Axes with round numbers on them, and where values come to lie. */
export function frameOf(x: Axis, y: Axis): Frame {
  const [left, right] = [MARGIN.left, WIDTH - MARGIN.right];
  const [top, bottom] = [MARGIN.top, HEIGHT - MARGIN.bottom];
  const px = (value: number): number => round(left + ((value - x.low) / (x.high - x.low)) * (right - left));
  const py = (value: number): number => round(bottom - ((value - y.low) / (y.high - y.low)) * (bottom - top));
  const grid = html`<g class="grid">
${ticks(y).map((value) => html`<line x1="${left}" x2="${right}" y1="${py(value)}" y2="${py(value)}"/><text x="${left - 6}" y="${py(value)}" dy="0.32em" text-anchor="end">${y.format(value)}</text>`)}
${ticks(x).map((value) => html`<text x="${px(value)}" y="${bottom + 16}" text-anchor="middle">${x.format(value)}</text>`)}
<text x="${(left + right) / 2}" y="${HEIGHT - 6}" text-anchor="middle">${x.label}</text>
<text transform="translate(12 ${(top + bottom) / 2}) rotate(-90)" text-anchor="middle">${y.label}</text>
</g>`;
  return { grid, px, py };
}

function drawSeries({ points, dots }: Series, number: number, { px, py }: Frame): Html {
  let path = "";
  let drawing = false;
  for (const { x, y } of points) {
    const isNumber = Number.isFinite(x) && Number.isFinite(y);
    if (isNumber) path += `${drawing ? "L" : "M"}${px(x)} ${py(y)}`;
    drawing = isNumber;
  }
  const marks = dots ? points.filter(({ x, y }) => Number.isFinite(x) && Number.isFinite(y)) : [];
  return html`<g class="series-${number}"><path d="${path}"/>${marks.map(({ x, y }) => html`<circle cx="${px(x)}" cy="${py(y)}" r="${DOT}"/>`)}</g>`;
}

/** About five round numbers from one end of an axis to the other. */
export function ticks({ low, high, whole = false }: Pick<Axis, "low" | "high" | "whole">): readonly number[] {
  const rough = Math.max((high - low) / 5, whole ? 1 : 0);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough) ?? rough;
  const first = Math.ceil(low / step - 1e-9);
  const count = Math.floor(high / step + 1e-9) - first + 1;
  return Array.from({ length: count }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
