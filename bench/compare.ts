import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { formatTable } from "#src/cli/display/print.js";
import { type Precision, precisionChoices } from "#src/engine/engine.js";
import { median, quantile } from "#src/scoring/quantiles.js";
import { exportForPeers, startAlexnet } from "./alexnet.js";
import { project } from "./project.js";
import { inTurns, type Side, startProcess } from "./side.js";

const help = `bench/run compare [--mode train|predict] [--batch 128] [--rounds 7] [--precision auto|bf16|float32]
                  [--peers name,name] [--python python3] [--json]

Runs the paper's full-size network here and in other programs, one step each in turn, and prints the ratios. The peers
alexnet-float32 and alexnet-bf16 are this project in that precision.
A peer that is not installed is named and left out; bench/peers/README.md says how to install them.`;

const { values: options } = parseArgs({
  options: {
    mode: { type: "string", default: "train" },
    batch: { type: "string", default: "128" },
    rounds: { type: "string", default: "7" },
    precision: { type: "string", default: "auto" },
    peers: { type: "string" },
    python: { type: "string", default: process.env.ALEXNET_PYTHON ?? "python3" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (options.help) {
  console.log(help);
  process.exit();
}
const mode = options.mode === "predict" ? "predict" : "train";
const batchSize = Number(options.batch);
const peerFolder = join(project, "bench/peers");

interface Comparison {
  readonly peer: string;
  readonly version: string;
  readonly ours: Times;
  readonly theirs: Times;
  /** How many times as fast as the peer this project is: the median over the rounds. */
  readonly ratio: number;
}

interface Times {
  /** Of the median step. */
  readonly imagesPerSecond: number;
  /** Milliseconds of a step. */
  readonly p50: number;
  readonly p99: number;
}

interface Peer {
  readonly name: string;
  readonly modes: readonly ("train" | "predict")[];
  readonly command?: readonly string[];
  readonly start: () => Promise<Side>;
}

const own = (precision: Precision): Peer => ({
  name: `alexnet-${precision}`,
  modes: ["train", "predict"],
  start: () => startAlexnet(mode, batchSize, precision),
});
const program = (name: string, modes: Peer["modes"], path: string, args: readonly string[]): Peer => ({
  name,
  modes,
  command: [path, ...args],
  start: () => startProcess(name, path, args),
});
const pytorch = (name: string, ...args: string[]): Peer =>
  program(name, ["train", "predict"], options.python, [
    join(peerFolder, "pytorch.py"),
    ...["--mode", mode, "--batch", options.batch, ...args],
  ]);
const node = (name: string, file: string, ...args: string[]): Peer =>
  program(name, ["predict"], process.execPath, [join(peerFolder, file), "--batch", options.batch, ...args]);
const scratch = mkdtempSync(join(tmpdir(), "alexnet-compare-"));
const model = join(scratch, "paper.onnx");
const peers: readonly Peer[] = [
  own("float32"),
  own("bf16"),
  pytorch("pytorch", "--lrn", "module"),
  pytorch("pytorch-fused-lrn", "--lrn", "fused"),
  pytorch("pytorch-channels-last", "--lrn", "fused", "--channels-last"),
  pytorch("pytorch-compile", "--lrn", "fused", "--compile"),
  pytorch("pytorch-compile-channels-last", "--lrn", "fused", "--compile", "--channels-last"),
  pytorch("pytorch-bf16", "--lrn", "fused", "--bf16"),
  pytorch("pytorch-bf16-channels-last", "--lrn", "fused", "--bf16", "--channels-last"),
  pytorch("pytorch-bf16-compile", "--lrn", "fused", "--bf16", "--compile"),
  pytorch("pytorch-without-lrn", "--lrn", "none"),
  node("onnxruntime-node", "onnxruntime.mjs", "--model", model),
  node("tensorflow.js-wasm", "tensorflow.mjs", "--backend", "wasm"),
  node("tensorflow.js", "tensorflow.mjs", "--backend", "cpu"),
];

/** Few rounds have no hundredth. */
const ROUNDS_FOR_P99 = 100;

const wanted = options.peers?.split(",");
const chosen = peers.filter(({ name, modes }) => modes.includes(mode) && (wanted?.includes(name) ?? true));
if (chosen.some(({ command }) => command?.includes(model))) await exportForPeers(model);
const ours = await startAlexnet(mode, batchSize, oneOf(precisionChoices, options.precision));
const results: Comparison[] = [];
for (const peer of chosen) {
  const side = await started(peer);
  if (side !== undefined) results.push(await compare(side));
}
await ours.stop();
rmSync(scratch, { recursive: true });
if (options.json) console.log(JSON.stringify(results, undefined, 2));
else report();

async function started({ name, start }: Peer): Promise<Side | undefined> {
  try {
    return await start();
  } catch (error) {
    console.error(`${name}: left out: ${error instanceof Error ? error.message : error}`);
    return undefined;
  }
}

function oneOf<T extends string>(choices: readonly T[], name: string): T {
  const found = choices.find((choice) => choice === name);
  if (found === undefined) throw new Error(`--precision ${name}: is none of ${choices.join(", ")}`);
  return found;
}

async function compare(side: Side): Promise<Comparison> {
  const measures = [ours, side].map((each) => () => each.measure());
  const [mine = [], theirs = []] = await inTurns(Number(options.rounds), measures);
  await side.stop();
  return {
    peer: side.name,
    version: side.version,
    ours: summary(mine),
    theirs: summary(theirs),
    ratio: median(theirs.map((milliseconds, round) => milliseconds / (mine[round] ?? Number.NaN))),
  };
}

function summary(times: readonly number[]): Times {
  const p50 = median(times);
  return { imagesPerSecond: (1000 * batchSize) / p50, p50, p99: quantile(times, 0.99) };
}

function report(): void {
  console.log(`${mode}, batch ${batchSize}, median of ${options.rounds} rounds; alexnet: ${ours.version}`);
  const latencies = Number(options.rounds) >= ROUNDS_FOR_P99;
  const cells = ({ imagesPerSecond, p50, p99 }: Times): string[] =>
    latencies ? [imagesPerSecond.toFixed(1), `${p50.toFixed(1)} / ${p99.toFixed(1)}`] : [imagesPerSecond.toFixed(1)];
  const headings = (whose: string): string[] =>
    latencies ? [`${whose} images/s`, "p50 / p99 ms"] : [`${whose} images/s`];
  console.log(
    formatTable(
      ["peer", "version", ...headings("its"), ...headings("alexnet"), "alexnet is"],
      results.map(({ peer, version, ours, theirs, ratio }) => [
        ...[peer, version, ...cells(theirs), ...cells(ours)],
        `${ratio.toFixed(2)}x`,
      ]),
    ),
  );
}
