import { writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { measureThroughput, type Throughput } from "#src/benchmark/throughput.js";
import { formatTable } from "#src/cli/display/print.js";
import { chartFile } from "#src/drawing/chart.js";
import { openEngine } from "#src/engine/host/open.js";
import { paper } from "#src/network/architectures/paper.js";
import { scaleWidth } from "#src/network/transform.js";
import { percent } from "#src/text.js";

const help = `bench/run scaling [--steps 2] [--svg file] [--json]

How the rate of training the paper's network depends on threads, pictures a batch and width; fractions are of the
machine's matrix product on as many threads. Takes minutes.`;

const { values: options } = parseArgs({
  options: {
    steps: { type: "string", default: "2" },
    svg: { type: "string" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (options.help) {
  console.log(help);
  process.exit();
}

interface Setting {
  readonly threads: number;
  readonly batch: number;
  readonly width: number;
}

type Row = Setting & Throughput;

const all = availableParallelism();
const settings: readonly Setting[] = [
  ...[16, 32, 64, 128, 256, 512].map((batch) => ({ threads: all, batch, width: 1 })),
  ...[16, 128].map((batch) => ({ threads: 1, batch, width: 1 })),
  ...[0.25, 0.5, 0.75].map((width) => ({ threads: all, batch: 128, width })),
];

const rows: Row[] = [];
for (const setting of settings) {
  rows.push({ ...setting, ...(await measure(setting)) });
  console.error(cells(rows[rows.length - 1] as Row).join("  "));
}
if (options.json) console.log(JSON.stringify(rows, undefined, 2));
else console.log(formatTable(["threads", "batch", "width", "images/s", "GFLOP/s", "fraction"], rows.map(cells)));
if (options.svg !== undefined) writeFileSync(options.svg, plot());

async function measure({ threads, batch, width }: Setting): Promise<Throughput> {
  const engine = await openEngine("onednn", { threads });
  try {
    const network = scaleWidth(paper, width);
    return await measureThroughput(engine, network, { mode: "train", batchSize: batch, steps: Number(options.steps) });
  } finally {
    await engine.close();
  }
}

function cells({ threads, batch, width, imagesPerSecond, gflops, fraction }: Row): string[] {
  const numbers = [threads, batch, width].map(String);
  return [...numbers, imagesPerSecond.toFixed(1), gflops.toFixed(0), percent(fraction)];
}

/** Fractions by batch, of the width 1, a curve for each number of threads; and by width. */
function plot(): string {
  const curve = (name: string, chosen: readonly Row[], x: (row: Row) => number) => ({
    name,
    points: chosen.map((row) => ({ x: x(row), y: row.fraction })).sort((a, b) => a.x - b.x),
  });
  const whole = rows.filter(({ width }) => width === 1);
  const y = { low: 0, high: 1, format: percent };
  const x = { format: (value: number) => String(Number(value.toFixed(2))) };
  const byThreads = [...new Set(whole.map(({ threads }) => threads))].map((threads) =>
    curve(
      threads === 1 ? "1 thread" : `${threads} threads`,
      whole.filter((row) => row.threads === threads),
      ({ batch }) => batch,
    ),
  );
  const ofBatch = rows.filter(({ batch, threads }) => batch === 128 && threads === all);
  const byWidth = [curve(`${all} threads`, ofBatch, ({ width }) => width)];
  return chartFile([
    { title: "Of the matrix product, full width", x: { ...x, label: "pictures a batch" }, y, series: byThreads },
    { title: "Of the matrix product, batch 128", x: { ...x, label: "width" }, y, series: byWidth },
  ]);
}
