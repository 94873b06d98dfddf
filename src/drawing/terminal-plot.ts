export interface TerminalSeries {
  readonly name: string;
  /** Left to right; what isn't a number is left out. */
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

export interface TerminalPlot {
  readonly title: string;
  readonly series: readonly TerminalSeries[];
  readonly xLabel: string;
  readonly formatX: (value: number) => string;
  readonly formatY: (value: number) => string;
}

export interface TerminalSize {
  /** Characters of the drawing, without the axes. */
  readonly width: number;
  readonly height: number;
  readonly colour: boolean;
}

const marks = ["•", "+", "x", "o", "*", "#"];
const colours = [36, 33, 35, 32, 34, 31]; // cyan, yellow, magenta, green, blue, red
const AXIS_LABELS = 3;

/** Curves as text: each series by its own mark (and colour); where two meet, the later one shows. */
export function drawInTerminal(plot: TerminalPlot, { width, height, colour }: TerminalSize): string {
  const points = plot.series.flatMap(({ points }) => points.filter(isNumber));
  if (points.length === 0) return `${plot.title}: nothing to draw yet`;
  const x = extent(points.map((point) => point.x));
  const y = extent(points.map((point) => point.y));
  const cells: string[][] = Array.from({ length: height }, () => Array<string>(width).fill(" "));
  plot.series.forEach((series, index) => {
    for (const [column, value] of columnMeans(series, x, width)) {
      const row = height - 1 - Math.round(((value - y.low) / (y.high - y.low)) * (height - 1));
      cells[row][column] = paint(marks[index % marks.length], index, colour);
    }
  });
  const labels = cells.map((_, row) => axisLabel(row, height, y, plot.formatY));
  const margin = Math.max(...labels.map((label) => label.length));
  const left = plot.formatX(x.low);
  const right = plot.formatX(x.high);
  return [
    plot.title,
    ...cells.map((row, i) => `${labels[i].padStart(margin)} ┤${row.join("")}`.trimEnd()),
    `${" ".repeat(margin)} └${"─".repeat(width)}`,
    `${" ".repeat(margin + 2)}${spread([left, plot.xLabel, right], width)}`,
    `${" ".repeat(margin + 2)}${plot.series.map(({ name }, i) => `${paint(marks[i % marks.length], i, colour)} ${name}`).join("   ")}`,
  ].join("\n");
}

/** Of each column that has points, their mean. */
function columnMeans({ points }: TerminalSeries, x: Extent, width: number): ReadonlyMap<number, number> {
  const sums = new Map<number, { sum: number; count: number }>();
  for (const point of points.filter(isNumber)) {
    const column = Math.round(((point.x - x.low) / (x.high - x.low)) * (width - 1));
    const { sum, count } = sums.get(column) ?? { sum: 0, count: 0 };
    sums.set(column, { sum: sum + point.y, count: count + 1 });
  }
  return new Map([...sums].map(([column, { sum, count }]) => [column, sum / count]));
}

interface Extent {
  readonly low: number;
  readonly high: number;
}

/** Never empty: one value gets room around it. */
function extent(values: readonly number[]): Extent {
  const low = values.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
  const high = values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  return high > low ? { low, high } : { low: low - 0.5, high: high + 0.5 };
}

/** Three texts: to the left, in the middle, to the right of so many characters. */
function spread([left, middle, right]: readonly [string, string, string], width: number): string {
  const before = Math.max(1, Math.round((width - middle.length) / 2) - left.length);
  const start = left + " ".repeat(before) + middle;
  return start + right.padStart(Math.max(right.length + 1, width - start.length));
}

function axisLabel(row: number, height: number, { low, high }: Extent, format: (value: number) => string): string {
  const every = Math.max(1, Math.round((height - 1) / AXIS_LABELS));
  if (row % every !== 0 && row !== height - 1) return "";
  return format(high - (row / Math.max(1, height - 1)) * (high - low));
}

function paint(mark: string, index: number, colour: boolean): string {
  return colour ? `\u001b[${colours[index % colours.length]}m${mark}\u001b[0m` : mark;
}

function isNumber({ x, y }: { readonly x: number; readonly y: number }): boolean {
  return Number.isFinite(x) && Number.isFinite(y);
}
