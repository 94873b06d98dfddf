import { mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { syntheticBatch, syntheticPreprocessing } from "#src/benchmark/synthetic.js";
import { measureThroughput, type ThroughputOptions } from "#src/benchmark/throughput.js";
import type { Engine, StepOptions } from "#src/engine/engine.js";
import { listAdapters } from "#src/engine/host/inventory.js";
import { openEngine } from "#src/engine/host/open.js";
import { type Comparison, compareLayers, compareSteps, isClose } from "#src/engine/host/self-check.js";
import { paper } from "#src/network/architectures/paper.js";
import { initialise } from "#src/network/initialise.js";
import type { Network } from "#src/network/network.js";
import { classCount, scaleWidth, withClasses } from "#src/network/transform.js";
import { markdownTable } from "./markdown.js";

const help = `scripts/webgpu-check [options]

Checks the WebGPU engine on this machine's adapter against the reference engine, layer by layer and over a few steps, then
measures the adapter's own rates, training and predicting, and every operation of a step. Writes webgpu-check.md after each
part, a table ready for docs/webgpu.md. No network, no root.

  --out <folder>      where it goes; default here
  --batches <list>    of training; default 32,128
  --steps <count>     timed steps; default 20
  --width <factor>    of the network, for a quick look; default 1`;

const { values: options } = parseArgs({
  options: {
    out: { type: "string", default: "." },
    batches: { type: "string", default: "32,128" },
    steps: { type: "string", default: "20" },
    width: { type: "string", default: "1" },
    help: { type: "boolean", default: false },
  },
});
if (options.help) {
  console.log(help);
  process.exit();
}
const STEP: StepOptions = { learningRate: 1e-4, momentum: 0.9, weightDecay: 5e-4, seed: 1 };
const batches = options.batches.split(",").map(Number);
const steps = Number(options.steps);
const network = scaleWidth(paper, Number(options.width));

const parts: string[] = [];
const path = join(options.out, "webgpu-check.md");
const keep = (title: string, text: string): void => {
  parts.push(`## ${title}\n\n${text}\n`);
  mkdirSync(options.out, { recursive: true });
  writeFileSync(path, parts.join("\n"));
  console.log(parts.at(-1));
};

const { adapters, missing } = await listAdapters();
if (adapters.length === 0) {
  console.error(`webgpu-check: ${missing}`);
  process.exit(2);
}
const engine = await openEngine("webgpu");
const { library, instructionSet } = engine.description;
const [processor] = cpus();
const width = options.width === "1" ? "" : `, width ${options.width}`;
const machine = `${process.platform} ${process.arch}, ${processor?.model ?? "unknown processor"}, Node.js ${process.versions.node}`;
keep(
  "WebGPU on this machine",
  `${instructionSet}; ${library}; ${machine}; network ${network.name}${width}\n\nAdapters: ${adapters.map(({ name }) => name).join(", ")}`,
);

const wrong = await compare(engine);
keep("Rates of the adapter", await rates(engine));
keep("Images a second", await throughput(engine, network));
for (const batchSize of batches) keep(`A training step of ${batchSize}`, await layers(engine, network, batchSize));
await engine.close();
console.log(`written to ${path}`);
process.exit(wrong === 0 ? 0 : 1);

/** @returns how many comparisons are off */
async function compare(own: Engine): Promise<number> {
  const reference = await openEngine("reference");
  const candidates = [{ engine: own, precision: "float32" }] as const;
  const narrow = withClasses(scaleWidth(paper, 1 / 8), 16);
  const found: Comparison[] = [];
  for (const comparisons of [
    compareLayers(candidates, reference, network),
    compareSteps(candidates, reference, narrow),
  ])
    for await (const comparison of comparisons) found.push(comparison);
  await reference.close();
  const off = found.filter((comparison) => !isClose(comparison));
  const row = ({ layer, what, error, tolerance }: Comparison) => [
    `${layer} ${what}`,
    error.toExponential(1),
    tolerance.toExponential(0),
  ];
  const worst = [...found].sort((a, b) => b.error / b.tolerance - a.error / a.tolerance).slice(0, 5);
  const verdict = off.length === 0 ? `All ${found.length} agree; the closest to their tolerance:` : "These are wrong:";
  const rows = (off.length === 0 ? worst : off).map(row);
  keep("Beside the reference engine", `${verdict}\n\n${markdownTable(["", "relative error", "tolerance"], rows, 1)}`);
  return off.length;
}

async function rates(own: Engine): Promise<string> {
  const rows: string[][] = [];
  for (const size of [512, 1024, 2048]) {
    const rate = await own.measureMatrixRate(size);
    rows.push([`matrix product of ${size}`, `${(rate / 1e9).toPrecision(3)} GFLOP/s`]);
    if ((2 * (2 * size) ** 3) / rate > 5) break; // the next one takes seconds, ten times over
  }
  rows.push(["copying 64 MiB", `${((await own.measureCopyRate(64 << 20)) / 1e9).toPrecision(3)} GB/s`]);
  return markdownTable(["", "at best"], rows, 1);
}

async function throughput(own: Engine, of: Network): Promise<string> {
  const measurements: readonly ThroughputOptions[] = [
    ...batches.map((batchSize) => ({ mode: "train", batchSize, steps, ahead: true }) as const),
    { mode: "predict", batchSize: 1, steps },
    { mode: "predict", batchSize: Math.max(...batches), steps },
  ];
  const rows: (string | number)[][] = [];
  for (const how of measurements) {
    const { imagesPerSecond, milliseconds } = await measureThroughput(own, of, how);
    rows.push([how.mode, how.batchSize, imagesPerSecond.toPrecision(3), milliseconds.median.toPrecision(4)]);
  }
  return markdownTable(["", "batch", "images/s", "median ms"], rows, 1);
}

async function layers(own: Engine, of: Network, batchSize: number): Promise<string> {
  const preprocessing = syntheticPreprocessing(of.input.size);
  const program = await own.compile(of, { batchSize, mode: "train", preprocessing });
  await program.write("parameters", initialise(of, { deviation: "he", biases: {} }, 1));
  const batch = syntheticBatch(batchSize, of.input.size, classCount(of));
  const { rows, milliseconds: whole } = await program.profile(batch, STEP, steps);
  await program.close();
  const sum = rows.reduce((all, { milliseconds }) => all + milliseconds, 0);
  const cells = rows.map(({ layer, direction, flops, milliseconds, implementation }) => [
    layer,
    direction,
    implementation,
    milliseconds.toPrecision(3),
    flops === 0 ? "" : (flops / milliseconds / 1e6).toPrecision(3),
    `${((100 * milliseconds) / sum).toFixed(1)} %`,
  ]);
  const table = markdownTable(["layer", "direction", "algorithm", "ms", "GFLOP/s", "share"], cells, 3);
  return `${whole.toPrecision(4)} ms a step\n\n${table}`;
}
