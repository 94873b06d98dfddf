import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { formatTable } from "#src/cli/print.js";
import { median } from "#src/statistics.js";
import { startAlexnet } from "./alexnet.js";
import { type Side, startProcess } from "./side.js";

const help = `bench/compare [--mode train|predict] [--batch 128] [--rounds 7] [--peers name,name] [--python python3] [--json]

Runs the paper's full-size network here and in other programs, one step each in turn, and prints the ratios.
A peer that is not installed is named and left out; bench/peers/README.md says how to install them.`;

const { values: options } = parseArgs({
  options: {
    mode: { type: "string", default: "train" },
    batch: { type: "string", default: "128" },
    rounds: { type: "string", default: "7" },
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
const peerFolder = fileURLToPath(new URL("../bench/peers", import.meta.url));

interface Comparison {
  readonly peer: string;
  readonly version: string;
  /** Images per second. */
  readonly ours: number;
  readonly theirs: number;
  /** How many times as fast as the peer this project is: the median over the rounds. */
  readonly ratio: number;
}

interface Peer {
  readonly name: string;
  readonly modes: readonly ("train" | "predict")[];
  readonly command: readonly string[];
}

const pytorch = (name: string, ...args: string[]): Peer => ({
  name,
  modes: ["train", "predict"],
  command: [options.python, join(peerFolder, "pytorch.py"), "--mode", mode, "--batch", options.batch, ...args],
});
const node = (name: string, file: string, ...args: string[]): Peer => ({
  name,
  modes: ["predict"],
  command: [process.execPath, join(peerFolder, file), "--batch", options.batch, ...args],
});
const peers: readonly Peer[] = [
  pytorch("pytorch", "--lrn", "module"),
  pytorch("pytorch-fused-lrn", "--lrn", "fused"),
  pytorch("pytorch-channels-last", "--lrn", "fused", "--channels-last"),
  pytorch("pytorch-compile", "--lrn", "fused", "--compile"),
  pytorch("pytorch-compile-channels-last", "--lrn", "fused", "--compile", "--channels-last"),
  pytorch("pytorch-without-lrn", "--lrn", "none"),
  node("onnxruntime-node", "onnxruntime.mjs"),
  node("tensorflow.js-wasm", "tensorflow.mjs", "--backend", "wasm"),
  node("tensorflow.js", "tensorflow.mjs", "--backend", "cpu"),
];

const wanted = options.peers?.split(",");
const chosen = peers.filter(({ name, modes }) => modes.includes(mode) && (wanted?.includes(name) ?? true));
const batchSize = Number(options.batch);
const ours = await startAlexnet(mode, batchSize);
const results: Comparison[] = [];
for (const peer of chosen) {
  const side = await start(peer);
  if (side !== undefined) results.push(await compare(side));
}
await ours.stop();
if (options.json) console.log(JSON.stringify(results, undefined, 2));
else report();

async function start({ name, command }: Peer): Promise<Side | undefined> {
  const [program = "", ...args] = command;
  if (args[0] !== undefined && !existsSync(args[0])) return undefined;
  try {
    return await startProcess(name, program, args);
  } catch (error) {
    console.error(`${name}: left out: ${error instanceof Error ? error.message : error}`);
    return undefined;
  }
}

/** Both sides in turn: whatever else the machine does falls on both. */
async function compare(side: Side): Promise<Comparison> {
  const [own, theirs]: [number[], number[]] = [[], []];
  for (let round = 0; round < Number(options.rounds); round++) {
    own.push(await ours.measure());
    theirs.push(await side.measure());
  }
  await side.stop();
  const rate = (times: readonly number[]): number => (1000 * batchSize) / median(times);
  return {
    peer: side.name,
    version: side.version,
    ours: rate(own),
    theirs: rate(theirs),
    ratio: median(theirs.map((milliseconds, round) => milliseconds / (own[round] ?? Number.NaN))),
  };
}

function report(): void {
  console.log(`${mode}, batch ${batchSize}, median of ${options.rounds} rounds; alexnet: ${ours.version}`);
  const rows = results.map(({ peer, version, ours, theirs, ratio }) => [
    peer,
    version,
    theirs.toFixed(1),
    ours.toFixed(1),
    `${ratio.toFixed(2)}x`,
  ]);
  console.log(formatTable(["peer", "version", "its images/s", "alexnet images/s", "alexnet is"], rows));
}
