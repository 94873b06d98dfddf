import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { drawPictures } from "#src/demo/pictures.js";
import type { EpochRow } from "#src/runs/metrics.js";
import { mean } from "#src/scoring/quantiles.js";
import { errors } from "#src/scoring/scores.js";
import { train } from "#src/training/train.js";
import { markdownTable } from "../markdown.js";
import { readReport } from "./report.js";
import type { Found, Keep, StageOptions } from "./stage.js";

/** Numbers that overflowed are null in JSON. */
const numberSchema = z
  .number()
  .nullable()
  .transform((value) => value ?? Number.NaN);

const runSchema = z.object({
  engine: z.enum(["onednn", "cuda"]),
  precision: z.enum(["bf16", "float32"]),
  seed: z.number(),
  /** Whether the pictures are real, not drawn. */
  isReal: z.boolean(),
  /** Of each epoch. */
  losses: z.array(numberSchema),
  /** The share of validation pictures that were right at the end. */
  accuracy: numberSchema,
});

type Run = z.infer<typeof runSchema>;
type Side = Pick<Run, "engine" | "precision">;

const CPU: Side = { engine: "onednn", precision: "float32" };
const SEEDS = [1, 2, 3];
const WIDTH = 0.125;
const BATCH = 64;
/** How far a mean of three may be from a mean of three: in standard errors, and the share that chance alone moves. */
const NOISE = { errors: 3, least: 0.03 };

/**
 * The same pictures, recipe and seeds on this engine as on the CPU's, whose side is the stage before: a narrow network,
 * a few hundred steps, three seeds.
 */
export function training(options: StageOptions, keep: Keep): Promise<void> {
  return trainAll(options, keep, [
    { engine: "cuda", precision: "float32" },
    { engine: "cuda", precision: "bf16" },
  ]);
}

/** The CPU engine's side of the comparison. */
export function cpu(options: StageOptions, keep: Keep): Promise<void> {
  return trainAll(options, keep, [CPU]);
}

async function trainAll(options: StageOptions, keep: Keep, sides: readonly Side[]): Promise<void> {
  const { folder, pictures, epochs, report } = options;
  const drawn = join(folder, "pictures");
  const isReal = existsSync(pictures);
  if (!isReal) await drawPictures(drawn, { seed: 1, train: 200, val: 50 });
  const runs: Run[] = [];
  for (const seed of SEEDS)
    for (const { engine, precision } of sides) {
      const rows: EpochRow[] = [];
      await train({
        ...{ network: "paper", width: WIDTH, recipe: "small", batchSize: BATCH, epochs, keep: 1 },
        ...{ data: isReal ? pictures : drawn, run: join(folder, `${engine}-${precision}-${seed}`) },
        ...{ engine, precision, seed },
        onEvent: (event) => {
          if (event.kind === "epoch") rows.push(event.row);
        },
      });
      const validation = rows.at(-1)?.validation;
      const accuracy = validation === undefined || validation === null ? Number.NaN : 1 - errors(validation).top1;
      runs.push({ engine, precision, seed, isReal, losses: rows.map(({ loss }) => loss), accuracy });
      const isCpu = sides.includes(CPU);
      keep(compare(runs, isCpu ? undefined : cpuRuns(report)));
    }
}

/** The runs of the CPU's stage, which may have been on another machine. */
function cpuRuns(report: string): readonly Run[] {
  return z.array(runSchema).parse(readReport(report).stages.cpu?.data ?? []);
}

/** The runs beside the CPU's, where they are not the CPU's themselves. */
function compare(runs: readonly Run[], before: readonly Run[] | undefined): Found {
  const all = [...(before ?? []), ...runs];
  const names = [...new Set(all.map(nameOf))];
  const groups = names.map((name) => ({ name, runs: all.filter((run) => nameOf(run) === name) }));
  const yardstick = before?.length === SEEDS.length ? before : undefined;
  const verdicts = groups.map((group) =>
    group.runs.length < SEEDS.length || yardstick === undefined || group.name === nameOf(CPU)
      ? ""
      : verdict(group.runs, yardstick),
  );
  const cells = groups.map(({ name, runs }, i) => [
    name,
    runs.map(({ losses }) => (losses.at(-1) ?? Number.NaN).toFixed(3)).join(", "),
    runs.map(({ accuracy }) => `${(100 * accuracy).toFixed(1)} %`).join(", "),
    verdicts[i] ?? "",
  ]);
  const curves = groups.map(({ name, runs }) => [name, ...meanLosses(runs).map((value) => value.toFixed(3))]);
  const heads = ["engine", "last epoch's loss, by seed", "top-1 on validation pictures", "beside the CPU's"];
  const epochs = meanLosses(all).map((_, epoch) => `epoch ${epoch + 1}`);
  const pictures = all.some(({ isReal }) => isReal) ? "Real" : "Drawn";
  const text = [
    `${pictures} pictures, the paper's network at ${WIDTH} of its width, batches of ${BATCH}.`,
    markdownTable(heads, cells),
    markdownTable(["mean loss of the seeds", ...epochs], curves),
    ...(before?.length === 0 ? ["No CPU side to compare with: see --only cpu."] : []),
  ].join("\n\n");
  const isFar = verdicts.some((said) => said.startsWith("differs"));
  return { status: isFar ? "failed" : undefined, data: runs, text };
}

function nameOf({ engine, precision }: Side): string {
  return `${engine} ${precision}`;
}

function verdict(group: readonly Run[], yardstick: readonly Run[]): string {
  const own = group.map(({ accuracy }) => accuracy);
  const others = yardstick.map(({ accuracy }) => accuracy);
  const difference = Math.abs(mean(own) - mean(others));
  const standardError = Math.hypot(deviation(own), deviation(others)) * Math.sqrt(1 / SEEDS.length);
  const most = Math.max(NOISE.errors * standardError, NOISE.least);
  const share = (value: number): string => `${(100 * value).toFixed(1)} %`;
  return `${difference <= most ? "the same" : "differs"}: ${share(difference)} of at most ${share(most)}`;
}

/** Epoch by epoch, as far as all runs went. */
function meanLosses(runs: readonly Run[]): readonly number[] {
  const epochs = Math.min(...runs.map(({ losses }) => losses.length));
  return Array.from({ length: epochs }, (_, epoch) => mean(runs.map(({ losses }) => losses[epoch] ?? Number.NaN)));
}

/** The sample's standard deviation. */
function deviation(values: readonly number[]): number {
  const middle = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / Math.max(1, values.length - 1));
}
