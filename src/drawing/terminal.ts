import { printable } from "../text.js";
import type { Chart, Series } from "./chart.js";
import { type Extent, extentOf, isDrawable } from "./points.js";

export interface TerminalSize {
  /** Characters of a line, and lines between the axes. */
  readonly columns: number;
  readonly rows: number;
  readonly colour: boolean;
}

const signs = ["•", "+", "x", "o", "*", "#"];
const colours = [36, 33, 35, 32, 34, 31]; // cyan, yellow, magenta, green, blue, red
const AXIS_LABELS = 3;
const LEAST_WIDTH = 8; // characters between the axes

/**
 * A chart as text: each series by its own sign (and colour); where two meet, the later one shows. Rows are few, so both
 * axes end where the points end, whatever the chart asks for.
 */
export function drawInTerminal(chart: Chart, { columns, rows, colour }: TerminalSize): string {
  const points = chart.series.flatMap((series) => series.points.filter(isDrawable));
  if (points.length === 0) return `${chart.title}: nothing to draw yet`;
  const x = extentOf(points.map((point) => point.x));
  const y = extentOf(points.map((point) => point.y));
  const labels = Array.from({ length: rows }, (_, row) => axisLabel(row, rows, y, chart.y.format));
  const margin = Math.max(...labels.map((label) => label.length));
  const width = Math.max(LEAST_WIDTH, columns - margin - 2);
  const drawn = new Map<number, string>(); // by row * width + column
  chart.series.forEach((series, index) => {
    for (const [column, value] of columnMeans(series, x, width)) {
      const row = rows - 1 - Math.round(((value - y.low) / (y.high - y.low)) * (rows - 1));
      drawn.set(row * width + column, sign(index, colour));
    }
  });
  const line = (row: number): string =>
    Array.from({ length: width }, (_, column) => drawn.get(row * width + column) ?? " ").join("");
  const indent = " ".repeat(margin + 2);
  const end = (value: number): string => chart.x.format(rounded(value, x, 100));
  return [
    chart.title,
    ...labels.map((label, row) => `${label.padStart(margin)} ┤${line(row)}`.trimEnd()),
    `${" ".repeat(margin)} └${"─".repeat(width)}`,
    `${indent}${spread(end(x.low), chart.x.label, end(x.high), width)}`,
    ...legend(chart.series, width, colour).map((names) => indent + names),
  ].join("\n");
}

/** Of each column that has points, their mean. */
function columnMeans({ points }: Series, x: Extent, width: number): ReadonlyMap<number, number> {
  const sums = new Map<number, { sum: number; count: number }>();
  for (const point of points.filter(isDrawable)) {
    const column = Math.round(((point.x - x.low) / (x.high - x.low)) * (width - 1));
    const { sum, count } = sums.get(column) ?? { sum: 0, count: 0 };
    sums.set(column, { sum: sum + point.y, count: count + 1 });
  }
  return new Map([...sums].map(([column, { sum, count }]) => [column, sum / count]));
}

/** Three texts: to the left, in the middle, to the right of so many characters. */
function spread(left: string, middle: string, right: string, width: number): string {
  const before = Math.max(1, Math.round((width - middle.length) / 2) - left.length);
  const start = left + " ".repeat(before) + middle;
  return start + right.padStart(Math.max(right.length + 1, width - start.length));
}

function axisLabel(row: number, rows: number, y: Extent, format: (value: number) => string): string {
  const every = Math.max(1, Math.round((rows - 1) / AXIS_LABELS));
  if (row % every !== 0 && row !== rows - 1) return "";
  return format(rounded(y.high - (row / Math.max(1, rows - 1)) * (y.high - y.low), y, 1000));
}

/** To about so many parts of the axis: its ends are no round numbers. */
function rounded(value: number, { low, high }: Extent, parts: number): number {
  const decimals = Math.ceil(Math.log10(parts / (high - low)));
  return Number(value.toFixed(Math.min(100, Math.max(0, decimals))));
}

/** The names behind their signs, in as many lines as they need. */
function legend(series: readonly Series[], width: number, colour: boolean): readonly string[] {
  const between = 3;
  const lines: string[][] = [];
  let room = 0;
  for (const [index, { name }] of series.entries()) {
    const length = 2 + [...name].length;
    if (between + length > room) {
      lines.push([]);
      room = width + between;
    }
    room -= between + length;
    lines.at(-1)?.push(`${sign(index, colour)} ${printable(name)}`);
  }
  return lines.map((names) => names.join(" ".repeat(between)));
}

function sign(index: number, colour: boolean): string {
  const own = signs[index % signs.length] ?? "•";
  return colour ? `\u001b[${colours[index % colours.length]}m${own}\u001b[0m` : own;
}
