import { escapeMarkup } from "../text.js";

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Curve {
  readonly name: string;
  /** Left to right; what isn't a number breaks the line. */
  readonly points: readonly Point[];
}

export interface Panel {
  readonly title: string;
  readonly curves: readonly Curve[];
  readonly xLabel: string;
  readonly formatX: (value: number) => string;
  readonly formatY: (value: number) => string;
  /** Where the y axis begins and ends; the curves' own extremes where not given. */
  readonly low?: number;
  readonly high?: number;
  /** Vertical lines with a label. */
  readonly marks?: readonly { readonly x: number; readonly label: string }[];
}

const WIDTH = 520;
const HEIGHT = 340;
const MARGIN = { left: 56, right: 16, top: 34, bottom: 64 } as const;
const colours = ["#1f6fb4", "#d1601f", "#2c8a4b", "#8a4fb0", "#b03a48", "#6b7280"];
const FEW = 60; // points that are worth a dot each

/** Panels side by side as a picture of its own, in light and dark schemes. */
export function drawSvg(panels: readonly Panel[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH * panels.length} ${HEIGHT}" width="${WIDTH * panels.length}" height="${HEIGHT}" font-family="sans-serif" font-size="12">
<style>
.ground { fill: #fff } text { fill: #333 } .grid { stroke: #ddd } .mark { stroke: #999; stroke-dasharray: 4 3 } .small { font-size: 10px }
@media (prefers-color-scheme: dark) { .ground { fill: #16181c } text { fill: #ddd } .grid { stroke: #3a3d44 } .mark { stroke: #777 } }
</style>
<rect class="ground" width="100%" height="100%"/>
${panels.map((panel, i) => `<g transform="translate(${i * WIDTH} 0)">\n${drawPanel(panel)}\n</g>`).join("\n")}
</svg>
`;
}

function drawPanel(panel: Panel): string {
  const points = panel.curves.flatMap((curve) => curve.points.filter(isNumber));
  const x = extent(points.map((point) => point.x));
  const y = extent([
    ...points.map((point) => point.y),
    ...[panel.low, panel.high].filter((value) => value !== undefined),
  ]);
  const [left, right] = [MARGIN.left, WIDTH - MARGIN.right];
  const [top, bottom] = [MARGIN.top, HEIGHT - MARGIN.bottom];
  const px = (value: number): string => (left + ((value - x.low) / (x.high - x.low)) * (right - left)).toFixed(1);
  const py = (value: number): string => (bottom - ((value - y.low) / (y.high - y.low)) * (bottom - top)).toFixed(1);
  return [
    `<text x="${left}" y="20" font-weight="bold">${escapeMarkup(panel.title)}</text>`,
    ...ticks(y.low, y.high).map(
      (value) =>
        `<line class="grid" x1="${left}" x2="${right}" y1="${py(value)}" y2="${py(value)}"/><text x="${left - 6}" y="${py(value)}" dy="4" text-anchor="end">${escapeMarkup(panel.formatY(value))}</text>`,
    ),
    ...ticks(x.low, x.high).map(
      (value) =>
        `<text x="${px(value)}" y="${bottom + 16}" text-anchor="middle">${escapeMarkup(panel.formatX(value))}</text>`,
    ),
    `<text x="${(left + right) / 2}" y="${bottom + 34}" text-anchor="middle">${escapeMarkup(panel.xLabel)}</text>`,
    ...(panel.marks ?? []).map(
      ({ x: place, label }) =>
        `<line class="mark" x1="${px(place)}" x2="${px(place)}" y1="${top}" y2="${bottom}"/><text class="small" x="${px(place)}" y="${top - 3}" text-anchor="middle">${escapeMarkup(label)}</text>`,
    ),
    ...panel.curves.map((curve, i) => drawCurve(curve, colours[i % colours.length], px, py)),
    ...drawLegend(panel.curves, left, bottom + 54),
  ].join("\n");
}

function drawCurve(
  { points }: Curve,
  colour: string,
  px: (value: number) => string,
  py: (value: number) => string,
): string {
  let path = "";
  let drawing = false;
  for (const point of points) {
    if (isNumber(point)) path += `${drawing ? "L" : "M"}${px(point.x)} ${py(point.y)}`;
    drawing = isNumber(point);
  }
  const dots = points.length <= FEW ? points.filter(isNumber) : [];
  return `<path d="${path}" fill="none" stroke="${colour}" stroke-width="1.8"/>${dots
    .map((point) => `<circle cx="${px(point.x)}" cy="${py(point.y)}" r="2.5" fill="${colour}"/>`)
    .join("")}`;
}

function drawLegend(curves: readonly Curve[], left: number, y: number): readonly string[] {
  let x = left;
  return curves.map(({ name }, i) => {
    const place = x;
    x += 34 + 7 * name.length;
    return `<line x1="${place}" x2="${place + 18}" y1="${y - 4}" y2="${y - 4}" stroke="${colours[i % colours.length]}" stroke-width="3"/><text x="${place + 22}" y="${y}">${escapeMarkup(name)}</text>`;
  });
}

/** About five round numbers from `low` to `high`. */
function ticks(low: number, high: number): readonly number[] {
  const rough = (high - low) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough * 0.999) ?? rough;
  const first = Math.ceil(low / step - 1e-9);
  const count = Math.floor(high / step + 1e-9) - first + 1;
  return Array.from({ length: count }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

function extent(values: readonly number[]): { readonly low: number; readonly high: number } {
  const low = values.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
  const high = values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  if (values.length === 0) return { low: 0, high: 1 };
  return high > low ? { low, high } : { low: low - 0.5, high: high + 0.5 };
}

function isNumber({ x, y }: { readonly x: number; readonly y: number }): boolean {
  return Number.isFinite(x) && Number.isFinite(y);
}
