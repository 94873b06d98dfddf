import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { drawPictures } from "../../dist/demo/pictures.js";
import { errors } from "../../dist/scoring/scores.js";
import { train } from "../../dist/training/train.js";
import { table } from "./common.js";

/**
 * The same pictures, recipe and seeds on this engine as on the CPU's, whose side is the stage before: a narrow network,
 * a few hundred steps, three seeds.
 */
export default function training(context) {
  return trainAll(context, [
    ["cuda", "float32"],
    ["cuda", "bf16"],
  ]);
}

const CPU_ENGINE = "onednn";
const CPU = `${CPU_ENGINE} float32`;
const SEEDS = [1, 2, 3];
const WIDTH = 0.125;
const BATCH = 64;
/** Of a mean of three from a mean of three, in standard errors and in the share of pictures that chance alone moves. */
const NOISE = { errors: 3, least: 0.03 };

export async function trainAll({ keep, folder, pictures, epochs, report }, sides) {
  const drawn = join(folder, "pictures");
  const isReal = existsSync(pictures);
  if (!isReal) await drawPictures(drawn, { seed: 1, train: 200, val: 50 });
  const runs = [];
  for (const seed of SEEDS)
    for (const [engine, precision] of sides) {
      const rows = [];
      const run = join(folder, `${engine}-${precision}-${seed}`);
      const choices = { network: "paper", width: WIDTH, recipe: "small", batchSize: BATCH, epochs, keep: 1 };
      await train({
        ...choices,
        ...{ data: isReal ? pictures : drawn, run, engine, precision, seed },
        onEvent: (event) => event.kind === "epoch" && rows.push(event.row),
      });
      runs.push({
        engine,
        precision,
        seed,
        isReal,
        losses: rows.map(({ loss }) => loss),
        accuracy: 1 - errors(rows.at(-1).validation).top1,
      });
      keep(compare(runs, cpuRuns(report)));
    }
}

function cpuRuns(report) {
  if (!existsSync(report)) return [];
  return JSON.parse(readFileSync(report, "utf8")).stages.cpu?.data ?? [];
}

function compare(runs, before) {
  const own = runs.some(({ engine }) => engine === CPU_ENGINE) ? [] : before;
  const all = [...own, ...runs];
  const names = [...new Set(all.map(({ engine, precision }) => `${engine} ${precision}`))];
  const groups = names.map((name) => all.filter(({ engine, precision }) => `${engine} ${precision}` === name));
  const last = ({ losses }) => losses.at(-1);
  const yardstick = own.length === SEEDS.length ? own : undefined;
  const cells = groups.map((group, i) => [
    names[i],
    describe(group.map(last), (value) => value.toFixed(3)),
    describe(
      group.map(({ accuracy }) => accuracy),
      (value) => `${(100 * value).toFixed(1)} %`,
    ),
    group.length < SEEDS.length || yardstick === undefined || names[i] === CPU ? "" : verdict(group, yardstick),
  ]);
  const curves = groups.map((group, i) => [names[i], ...means(group).map((value) => value.toFixed(3))]);
  const heads = ["engine", "last epoch's loss, by seed", "top-1 on validation pictures", "beside the CPU's"];
  const epochs = all[0].losses.map((_, epoch) => `epoch ${epoch + 1}`);
  const text = [
    `${all[0].isReal ? "Real" : "Drawn"} pictures, the paper's network at ${WIDTH} of its width, batches of ${BATCH}.`,
    table(heads, cells),
    table(["mean loss of the seeds", ...epochs], curves),
    ...(own.length === 0 && runs[0].engine === "cuda" ? ["No CPU side to compare with: see --only cpu."] : []),
  ].join("\n\n");
  const isFar = cells.some(([, , , said]) => said.startsWith("differs"));
  return { ...(isFar && { status: "failed" }), data: runs, text };
}

function verdict(group, yardstick) {
  const [a, b] = [group, yardstick].map((runs) => runs.map(({ accuracy }) => accuracy));
  const difference = Math.abs(mean(a) - mean(b));
  const room = Math.max(
    NOISE.errors * Math.hypot(deviation(a), deviation(b)) * Math.sqrt(1 / SEEDS.length),
    NOISE.least,
  );
  return `${difference <= room ? "the same" : "differs"}: ${(100 * difference).toFixed(1)} % of at most ${(100 * room).toFixed(1)} %`;
}

function describe(values, text) {
  return values.map(text).join(", ");
}

function means(group) {
  return group[0].losses.map((_, epoch) => mean(group.map(({ losses }) => losses[epoch])));
}

function mean(values) {
  return values.reduce((a, b) => a + b, 0) / values.length;
}

function deviation(values) {
  const middle = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / Math.max(1, values.length - 1));
}
