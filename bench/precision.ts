import { cpus, release } from "node:os";
import { parseArgs } from "node:util";
import { type LayerTable, measureLayers, rateWithThreads } from "#src/benchmark/layers.js";
import { MATRIX_SIZE } from "#src/benchmark/throughput.js";
import type { Engine, LayerTime } from "#src/engine/engine.js";
import { openEngine } from "#src/engine/host/open.js";
import { paper } from "#src/network/architectures/paper.js";
import { summarise } from "#src/network/summary.js";
import { median } from "#src/scoring/quantiles.js";
import { startAlexnet } from "./alexnet.js";
import { markdownTable } from "./markdown.js";
import { inTurns } from "./side.js";

const help = `bench/run precision [--rounds 7] [--batch 128]

bfloat16 beside float32 on this machine's processor, the paper's network at full size: matrix products, training,
prediction of 64 pictures and of one, memory, and what of a training step one thread does alone. Both precisions take a
step each in turn. Prints tables for docs/performance.md. Some five minutes with AMX, ten without.`;

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "7" },
    batch: { type: "string", default: "128" },
    help: { type: "boolean", default: false },
  },
});
if (options.help) {
  console.log(help);
  process.exit();
}
const rounds = Number(options.rounds);
const batchSize = Number(options.batch);
/** A prediction takes milliseconds: many more rounds fit. */
const PREDICTIONS_A_ROUND = 8;

type Pair<T> = readonly [bf16: T, float32: T];

console.log(`${cpus()[0]?.model ?? "a processor without a name"}, ${process.platform} ${release()}`);
const auto = await openEngine("onednn");
console.log(`auto: ${auto.choice ?? auto.description.precision}`);
await auto.close();

const rows: (readonly string[])[] = [];
await withEngines(async (engines) => {
  const { library, instructionSet, threads } = engines[0].description;
  console.log(`${library}, ${instructionSet}, ${threads} threads\n`);
  const products = await inTurns(
    3,
    engines.map((engine) => () => engine.measureMatrixRate(MATRIX_SIZE)),
  );
  const rates = pairOf(products.map((each) => median(each) / 1e9));
  rows.push(row(`matrix product of ${MATRIX_SIZE} cubed, GFLOP/s`, rates, rates[0] / rates[1]));
  const step = await times("train", batchSize, rounds);
  const images = pairOf(step.map((milliseconds) => (1000 * batchSize) / milliseconds));
  rows.push(row(`training, batch ${batchSize}, images/s`, images, images[0] / images[1], 1));
  const { trainingFlops } = summarise(paper);
  const shares = pairOf(images.map((rate, side) => (rate * trainingFlops) / 1e9 / (rates[side] ?? Number.NaN)));
  rows.push(row("the same, of the precision's own matrix rate", shares, undefined, 2));
  const many = await times("predict", 64, rounds * PREDICTIONS_A_ROUND);
  const predicted = pairOf(many.map((milliseconds) => (1000 * 64) / milliseconds));
  rows.push(row("prediction, batch 64, images/s", predicted, predicted[0] / predicted[1]));
  const one = await times("predict", 1, rounds * PREDICTIONS_A_ROUND);
  rows.push(row("prediction, batch 1, p50 in ms", one, one[0] / one[1], 1));
  for (const [mode, size] of [
    ["train", batchSize],
    ["predict", 1],
  ] as const) {
    const bytes = await Promise.all(engines.map((engine) => engine.estimateMemory(paper, { batchSize: size, mode })));
    const megabytes = pairOf(bytes.map((count) => count / 1e6));
    rows.push(row(`memory of the program, ${mode}, batch ${size}, MB`, megabytes, megabytes[0] / megabytes[1]));
  }
  console.log(markdownTable(["", "bf16", "float32", "bf16 / float32"], rows, 1));
  for (const engine of engines) console.log(`\n${describeStep(engine, await layersOf(engine))}`);
});

function layersOf(engine: Engine): Promise<LayerTable> {
  return measureLayers(engine, paper, { batchSize, steps: rounds });
}

/** Where a step's time goes, by what limits it. */
function describeStep({ description }: Engine, table: LayerTable): string {
  const { stepMilliseconds, sumMilliseconds, serialMilliseconds } = table;
  const sum = (wanted: (row: LayerTime) => boolean): number =>
    table.rows.filter(wanted).reduce((all, { milliseconds }) => all + milliseconds, 0);
  const kinds: Readonly<Record<string, readonly string[]>> = {
    "convolutions and fully connected": ["convolution", "fully-connected"],
    "norms and pools": ["local-response-norm", "max-pool"],
    "layouts and ReLU": ["reorder", "relu"],
    "input, dropout, loss and update": ["input", "dropout", "loss", "update"],
  };
  const parts = Object.entries(kinds).map(([name, those]) => {
    const milliseconds = sum(({ kind }) => those.includes(kind));
    return [name, milliseconds.toFixed(0), (milliseconds / stepMilliseconds).toFixed(2)];
  });
  const faster = [16, 64].map((wanted) => {
    const rate = rateWithThreads(table, batchSize, { measured: description.threads, wanted });
    return `${rate.toFixed(0)} images/s with ${wanted}`;
  });
  return [
    `${description.precision}: a step of ${stepMilliseconds.toFixed(0)} ms, whose rows sum to ${sumMilliseconds.toFixed(0)}; ` +
      `one thread does ${serialMilliseconds.toFixed(1)} ms of it alone, which allows at most ${faster.join(", ")}`,
    "",
    markdownTable(["part", "ms", "of the step"], parts, 1),
  ].join("\n");
}

/** Milliseconds of the median step in each precision. */
async function times(mode: "train" | "predict", size: number, count: number): Promise<Pair<number>> {
  const sides = [await startAlexnet(mode, size, "bf16"), await startAlexnet(mode, size, "float32")];
  const measured = await inTurns(
    count,
    sides.map((side) => () => side.measure()),
  );
  for (const side of sides) await side.stop();
  return pairOf(measured.map((each) => median(each)));
}

async function withEngines(work: (engines: Pair<Engine>) => Promise<void>): Promise<void> {
  const engines: Pair<Engine> = [
    await openEngine("onednn", { precision: "bf16" }),
    await openEngine("onednn", { precision: "float32" }),
  ];
  try {
    await work(engines);
  } finally {
    for (const engine of engines) await engine.close();
  }
}

function pairOf<T>([bf16, float32]: readonly T[]): Pair<T> {
  if (bf16 === undefined || float32 === undefined) throw new Error("there are two precisions");
  return [bf16, float32];
}

function row(name: string, values: Pair<number>, ratio: number | undefined, digits = 0): readonly string[] {
  return [name, ...values.map((value) => value.toFixed(digits)), ratio === undefined ? "" : ratio.toFixed(2)];
}
