import { type Html, html } from "./markup.js";
import { type Extent, extentOf, isDrawable, type Point, ticks } from "./points.js";

/** Lines between two axes. The same chart is an SVG file and drawn in a terminal (`terminal.ts`). */
export interface Chart {
  /** What the vertical axis shows; it stands above the chart. */
  readonly title: string;
  readonly x: Axis;
  readonly y: Omit<Axis, "label">;
  readonly series: readonly Series[];
  readonly marks?: readonly Mark[];
}

export interface Axis {
  readonly label: string;
  /** The axis reaches from here to there at least. By default it ends where the points end. */
  readonly low?: number;
  readonly high?: number;
  /** Only whole numbers have a tick. */
  readonly whole?: boolean;
  format(value: number): string;
}

export interface Series {
  readonly name: string;
  /** From left to right. A point that is not finite breaks the line. */
  readonly points: readonly Point[];
}

/** A vertical line with a label above it. */
export interface Mark {
  readonly x: number;
  readonly label: string;
}

const WIDTH = 440;
const HEIGHT = 290;
const LEFT = 52;
const RIGHT = WIDTH - 22;
const TOP = 36;
const BOTTOM = HEIGHT - 40;
const FEW = 60; // points that are worth a dot each
const ENLARGED = 1.2; // times the units above, in a file
const LEGEND_ROW = 18;
const CHARACTER = 7; // width of one in a legend, about
const LONGEST_NAME = 50; // characters that fit into a row of a legend

/** Charts side by side as an SVG file that follows the reader's light or dark scheme. */
export function chartFile(charts: readonly Chart[]): string {
  const legends = charts.map(({ series }) => legendLines(series.map(({ name }) => name)));
  const width = WIDTH * charts.length;
  const height = HEIGHT + LEGEND_ROW * Math.max(...legends.map(({ rows }) => rows)) + 6;
  const panels = charts.map(
    (chart, i) => html`<g transform="translate(${i * WIDTH} 0)">\n${drawLines(chart)}\n${legends[i]?.drawing}</g>`,
  );
  return html`<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 ${width} ${height}" width="${Math.round(ENLARGED * width)}" height="${Math.round(ENLARGED * height)}" font-family="sans-serif">
<style>
.ground { fill: #fff; }
${chartStyle(light)}
@media (prefers-color-scheme: dark) {
.ground { fill: #16181c; }
${colourRules(dark)}
}
</style>
<rect class="ground" width="100%" height="100%"/>
${panels}
</svg>
`.text;
}

interface ChartColours {
  readonly text: string;
  readonly grid: string;
  /** One after the other; the first again after the last. */
  readonly series: readonly string[];
}

/** Series come in so many colours, all of which `chartStyle` wants. */
const SERIES_COLOURS = 6;

const light: ChartColours = {
  text: "#454b54",
  grid: "#d9dce1",
  series: ["#1f5fbf", "#c2570c", "#3f7d3a", "#8a4fb0", "#b03a48", "#6b7280"],
};
const dark: ChartColours = {
  text: "#c3c8cf",
  grid: "#383d44",
  series: ["#7eb0ff", "#ffa45c", "#8fce88", "#cf9df0", "#f58b98", "#a6adb8"],
};

/** Rules of CSS for what this file draws. */
function chartStyle(colours: ChartColours): string {
  return `.chart text { font-size: 12px; }
.chart .title { font-weight: 600; }
.chart .small { font-size: 10px; }
.chart path { fill: none; stroke-width: 2; stroke-linejoin: round; }
.chart .key { stroke-width: 3; }
.chart .mark { stroke-dasharray: 3 3; }
.series-3, .series-6 { stroke-dasharray: 6 3; }
${colourRules(colours)}`;
}

function colourRules({ text, grid, series }: ChartColours): string {
  const rules = series.map(
    (colour, i) => `.series-${i + 1} { stroke: ${colour}; } .series-${i + 1} circle { fill: ${colour}; }`,
  );
  return [
    `.chart text { fill: ${text}; }`,
    `.chart .grid { stroke: ${grid}; }`,
    `.chart .mark { stroke: ${text}; }`,
    ...rules,
  ].join("\n");
}

/** Axes, and where values come to lie between them. */
interface Frame {
  readonly axes: Html;
  px(x: number): number;
  py(y: number): number;
}

/** @param points lie within the frame */
function frameOf({ title, x, y }: Omit<Chart, "series">, points: readonly Point[]): Frame {
  const across = reach(
    x,
    points.map((point) => point.x),
  );
  const up = reach(
    y,
    points.map((point) => point.y),
  );
  const px = (value: number): number => round(LEFT + shareOf(value, across) * (RIGHT - LEFT));
  const py = (value: number): number => round(BOTTOM - shareOf(value, up) * (BOTTOM - TOP));
  const axes = html`<text class="title" x="8" y="16">${title}</text>
${ticks(up, y.whole).map((value) => html`<line class="grid" x1="${LEFT}" x2="${RIGHT}" y1="${py(value)}" y2="${py(value)}"/><text x="${LEFT - 6}" y="${py(value)}" dy="4" text-anchor="end">${y.format(value)}</text>`)}
${ticks(across, x.whole).map((value) => html`<text x="${px(value)}" y="${BOTTOM + 16}" text-anchor="middle">${x.format(value)}</text>`)}
<text x="${(LEFT + RIGHT) / 2}" y="${HEIGHT - 6}" text-anchor="middle">${x.label}</text>`;
  return { axes, px, py };
}

function reach({ low, high }: Pick<Axis, "low" | "high">, values: readonly number[]): Extent {
  return extentOf([...values, low, high].filter((value) => value !== undefined));
}

function shareOf(value: number, { low, high }: Extent): number {
  return (value - low) / (high - low);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function drawLines(chart: Chart): Html {
  const frame = frameOf(
    chart,
    chart.series.flatMap(({ points }) => points.filter(isDrawable)),
  );
  const { axes, px } = frame;
  const marks = (chart.marks ?? []).map(
    ({ x, label }) =>
      html`<line class="mark" x1="${px(x)}" x2="${px(x)}" y1="${TOP}" y2="${BOTTOM}"/><text class="small" x="${px(x)}" y="${TOP - 4}" text-anchor="middle">${label}</text>`,
  );
  return html`${axes}\n${marks}\n${chart.series.map((series, i) => drawSeries(series, i, frame))}`;
}

function drawSeries({ points }: Series, index: number, { px, py }: Frame): Html {
  let path = "";
  let drawing = false;
  for (const point of points) {
    if (isDrawable(point)) path += `${drawing ? "L" : "M"}${px(point.x)} ${py(point.y)}`;
    drawing = isDrawable(point);
  }
  const dots = points.length <= FEW ? points.filter(isDrawable) : [];
  return html`<g class="${seriesClass(index)}"><path d="${path}"/>${dots.map(({ x, y }) => html`<circle cx="${px(x)}" cy="${py(y)}" r="2.5"/>`)}</g>`;
}

function seriesClass(index: number): string {
  return `series-${(index % SERIES_COLOURS) + 1}`;
}

/** Below a chart, in as many rows as the names need. */
function legendLines(names: readonly string[]): { readonly drawing: Html; readonly rows: number } {
  let [x, row] = [LEFT, 0];
  const entries = names.map((whole, i) => {
    const name = whole.length > LONGEST_NAME ? `…${whole.slice(1 - LONGEST_NAME)}` : whole;
    const width = 34 + CHARACTER * name.length;
    if (x > LEFT && x + width > WIDTH) [x, row] = [LEFT, row + 1];
    const [left, y] = [x, HEIGHT + 12 + row * LEGEND_ROW];
    x += width;
    return html`<g class="${seriesClass(i)}"><line class="key" x1="${left}" x2="${left + 18}" y1="${y - 4}" y2="${y - 4}"/></g><text x="${left + 22}" y="${y}">${name}</text>`;
  });
  return { drawing: html`${entries}`, rows: row + 1 };
}
