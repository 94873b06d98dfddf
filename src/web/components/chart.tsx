import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import UPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { Mark, Series } from "../../drawing/chart.js";
import { csvOf, Download, saveFile } from "./download.js";
import { smooth } from "./smooth.js";

const HEIGHT = 260;
const FEW = 60; // points that are worth a dot each
const COLOURS = 6; // --series-1 and so on
const SPREAD = 8; // pixels that a mark's label needs for each of its characters

export interface ChartProps {
  /** What the vertical axis shows. */
  readonly title: string;
  readonly series: readonly Series[];
  readonly xLabel: string;
  /** Only whole numbers have a tick on the horizontal axis. */
  readonly whole?: boolean;
  readonly marks?: readonly Mark[];
  /** The vertical axis reaches from here to there at least. */
  readonly low?: number;
  readonly high?: number;
  readonly log?: boolean;
  /** 0, not at all, to below 1: the weight of what came before. */
  readonly smoothing?: number;
  format(value: number): string;
  /** For readers who don't see it. */
  readonly description: string;
  /** Charts of one name show the same moment under the pointer. */
  readonly together?: string;
}

/** Lines over one axis: drag to look closer, click twice to see all, choose a name to hide its line. */
export function Chart(props: ChartProps) {
  const { title, series, description, format } = props;
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<UPlot | undefined>(undefined);
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const [under, setUnder] = useState<number | null>(null);
  const scheme = useColourScheme();
  const data = useMemo(() => tableOf(props), [series, props.log, props.smoothing]);
  const names = series.map(({ name }) => name).join("\n");

  // A chart is made anew when its lines or its axes become others; new points alone only move the lines.
  useEffect(() => {
    const parent = place.current;
    if (parent === null) return;
    const options = optionsOf(props, hidden, parent, setUnder);
    const made = new UPlot(options, data.table, parent);
    plot.current = made;
    const observer = new ResizeObserver(() => {
      if (parent.clientWidth > 0) made.setSize({ width: parent.clientWidth, height: HEIGHT });
    });
    observer.observe(parent);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = undefined;
    };
  }, [names, hidden, scheme, props.log, (props.smoothing ?? 0) > 0, props.marks?.length, props.low, props.high, title]);

  useEffect(() => {
    const isZoomed = plot.current !== undefined && plot.current.data !== data.table && isClose(plot.current);
    if (plot.current?.data !== data.table) plot.current?.setData(data.table, !isZoomed);
  }, [data]);

  const toggle = (name: string): void => {
    const next = new Set(hidden);
    if (!next.delete(name)) next.add(name);
    setHidden(next);
  };
  const valueUnder = (i: number): string => {
    if (under === null) return "";
    const value = data.values[i]?.[under];
    return value === undefined || value === null ? "" : format(value);
  };
  const savePicture = (): void => {
    plot.current?.ctx.canvas.toBlob((blob) => blob && saveFile(`${title}.png`, blob));
  };
  return (
    <figure class="chart">
      <div class="head">
        <h3>{title}</h3>
        <div class="row">
          <Download name={`${title}.csv`} type="text/csv" content={() => seriesCsv(props)}>
            CSV
          </Download>
          <button type="button" class="button small" title={`Download ${title}.png`} onClick={savePicture}>
            PNG
          </button>
        </div>
      </div>
      <div class="plot" ref={place} role="img" aria-label={description} />
      <figcaption>
        <ul class="legend">
          {series.map(({ name }, i) => (
            <li key={name}>
              <button type="button" aria-pressed={!hidden.has(name)} onClick={() => toggle(name)}>
                <span
                  class={i % COLOURS === 2 || i % COLOURS === 5 ? "key dashed" : "key"}
                  style={{ color: `var(--series-${(i % COLOURS) + 1})` }}
                />
                <span class="name">{name}</span>
                <output>{valueUnder(i)}</output>
              </button>
            </li>
          ))}
        </ul>
      </figcaption>
    </figure>
  );
}

type Values = (number | null | undefined)[];

/** All series over the union of their places; what is not finite, or has no logarithm, breaks a line. */
function tableOf({ series, log, smoothing = 0 }: ChartProps): { table: UPlot.AlignedData; values: readonly Values[] } {
  if (series.length === 0) return { table: [[]], values: [] };
  const drawable = (y: number): number | null => (Number.isFinite(y) && !(log && y <= 0) ? y : null);
  const joined = UPlot.join(
    series.map(({ points }): UPlot.AlignedData => [points.map(({ x }) => x), points.map(({ y }) => drawable(y))]),
  ) as [number[], ...Values[]];
  const [places, ...raw] = joined;
  if (smoothing === 0) return { table: joined as UPlot.AlignedData, values: raw };
  const smoothed = raw.map((values) => smooth(values, smoothing));
  // The lines as they are stand behind the smooth ones.
  return { table: [places, ...smoothed, ...raw] as UPlot.AlignedData, values: smoothed };
}

function optionsOf(
  props: ChartProps,
  hidden: ReadonlySet<string>,
  parent: HTMLElement,
  tell: (index: number | null) => void,
): UPlot.Options {
  const style = getComputedStyle(parent);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  const { series, xLabel, whole, log, low, high, format, smoothing = 0, together } = props;
  const line = ({ name, points }: Series, i: number, faint: boolean): UPlot.Series => ({
    label: name,
    show: !hidden.has(name),
    stroke: colour(`--series-${(i % COLOURS) + 1}`),
    alpha: faint ? 0.22 : 1,
    width: 2,
    dash: i % COLOURS === 2 || i % COLOURS === 5 ? [6, 4] : undefined,
    spanGaps: false,
    points: { show: !faint && points.length <= FEW, size: 5, fill: colour(`--series-${(i % COLOURS) + 1}`) },
  });
  const font = `12px ${style.fontFamily}`;
  const axis = { stroke: colour("--soft"), font, grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false } };
  return {
    width: parent.clientWidth || 400,
    height: HEIGHT,
    legend: { show: false },
    cursor: { points: { size: 7 }, sync: together === undefined ? undefined : { key: together }, y: false },
    scales: {
      x: { time: false },
      y: log
        ? { distr: 3 }
        : {
            range: (_, least, most) => {
              const from = Math.min(low ?? least, least);
              const to = Math.max(high ?? most, most);
              return Number.isFinite(from) && to > from
                ? [from, to + (high === undefined ? 0.05 * (to - from) : 0)]
                : [0, 1];
            },
          },
    },
    axes: [
      { ...axis, label: xLabel, labelSize: 18, labelFont: font, size: 34, incrs: whole ? wholeSteps : undefined },
      { ...axis, size: 58, values: (_, values) => values.map((value) => (value === null ? "" : format(value))) },
    ],
    series: [
      {},
      ...series.map((one, i) => line(one, i, false)),
      ...(smoothing === 0 ? [] : series.map((one, i) => line(one, i, true))),
    ],
    hooks: {
      setCursor: [({ cursor }) => tell(cursor.idx ?? null)],
      draw: [(plot) => drawMarks(plot, props.marks ?? [], colour("--soft"), font)],
    },
  };
}

const wholeSteps = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 1e5, 1e6, 1e7];

/** Dashed vertical lines, each with its label unless the one before is in its way. */
function drawMarks(plot: UPlot, marks: readonly Mark[], colour: string, font: string): void {
  const { ctx, bbox } = plot;
  let free = Number.NEGATIVE_INFINITY; // where the label before ends
  ctx.save();
  ctx.strokeStyle = colour;
  ctx.fillStyle = colour;
  ctx.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio]);
  ctx.font = font.replace("12px", `${11 * devicePixelRatio}px`);
  ctx.textAlign = "center";
  for (const { x, label } of marks) {
    const place = plot.valToPos(x, "x", true);
    if (place < bbox.left || place > bbox.left + bbox.width) continue;
    ctx.beginPath();
    ctx.moveTo(place, bbox.top);
    ctx.lineTo(place, bbox.top + bbox.height);
    ctx.stroke();
    if (place < free) continue;
    ctx.fillText(label, place, bbox.top - 4 * devicePixelRatio);
    free = place + SPREAD * devicePixelRatio * label.length;
  }
  ctx.restore();
}

/** Whether the reader has looked closer. */
function isClose({ data: [places], scales: { x } }: UPlot): boolean {
  const [first, last] = [places[0], places.at(-1)];
  return first !== undefined && last !== undefined && ((x?.min ?? first) > first || (x?.max ?? last) < last);
}

function seriesCsv({ xLabel, series }: ChartProps): string {
  const { table } = tableOf({ series } as ChartProps);
  const [places, ...values] = table as [number[], ...Values[]];
  const rows = places.map((x, i) => [x, ...values.map((column) => column[i] ?? undefined)]);
  return csvOf([[xLabel, ...series.map(({ name }) => name)], ...rows]);
}

/** Light or dark, as the reader has it now. */
function useColourScheme(): string {
  const query = useMemo(() => matchMedia("(prefers-color-scheme: dark)"), []);
  const [isDark, setDark] = useState(query.matches);
  useEffect(() => {
    const change = (): void => setDark(query.matches);
    query.addEventListener("change", change);
    return () => query.removeEventListener("change", change);
  }, [query]);
  return isDark ? "dark" : "light";
}
