import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type LayerTable, measureLayers } from "#src/benchmark/layers.js";
import { formatTable } from "#src/cli/display/print.js";
import { openEngine } from "#src/engine/host/open.js";
import { paper } from "#src/network/architectures/paper.js";
import { summarise } from "#src/network/summary.js";
import { writeWhole } from "#src/system/files.js";
import { percent } from "#src/text.js";
import { project } from "./project.js";

const help = `bench/run guard [--steps 5] [--moved 0.07] [--write]

Compares a fresh table of layers (the paper's network, batch 128) with what bench/rates.json holds for this library,
instruction set and number of threads, and prints what moved by more than a share. Fractions are of the machine's own
matrix product (copying, for what only moves memory), measured in the same run. --write keeps the fresh ones.
Exit status 1 when something became slower. Run it on a quiet machine.`;

const { values: options } = parseArgs({
  options: {
    steps: { type: "string", default: "5" },
    moved: { type: "string", default: "0.07" },
    write: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (options.help) {
  console.log(help);
  process.exit();
}

/** By operation, its fraction of the machine's rate. */
type Fractions = Readonly<Record<string, number>>;
/** By library, instruction set and threads. */
type Rates = Readonly<Record<string, Fractions>>;

const BATCH = 128;
/** Of the step: what is quicker than this is lost in noise. */
const LEAST_SHARE = 0.01;
const file = join(project, "bench/rates.json");
const kept: Rates = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {};

const engine = await openEngine("onednn");
const { library, instructionSet, threads } = engine.description;
const machine = `${library}, ${instructionSet}, ${threads} threads`;
const fresh = fractionsOf(await measureLayers(engine, paper, { batchSize: BATCH, steps: Number(options.steps) }));
await engine.close();

const before = kept[machine];
if (before === undefined)
  console.log(`${machine}: bench/rates.json has nothing to compare with; --write keeps this run`);
else report(before);
if (options.write) writeWhole(file, [Buffer.from(`${JSON.stringify({ ...kept, [machine]: fresh }, undefined, 2)}\n`)]);

function fractionsOf(table: LayerTable): Fractions {
  const flops = BATCH * summarise(paper).trainingFlops;
  const rows = table.rows
    .filter(({ share }) => share >= LEAST_SHARE)
    .map(({ layer, kind, direction, fraction }) => [
      `${layer} ${kind === "reorder" ? "reorder " : ""}${direction}`,
      fraction,
    ]);
  const whole = flops / table.stepMilliseconds / 1e6 / table.gemmGflops;
  return Object.fromEntries(
    [["step", whole], ...rows].map(([name, fraction]) => [name, Number(Number(fraction).toFixed(3))]),
  );
}

function report(before: Fractions): void {
  const moved = Object.entries(fresh).flatMap(([name, now]) => {
    const then = before[name];
    const change = then === undefined ? 0 : now / then - 1;
    return then !== undefined && Math.abs(change) > Number(options.moved) ? [{ name, then, now, change }] : [];
  });
  if (moved.length === 0) {
    console.log(`${machine}: nothing moved by more than ${percent(Number(options.moved))}`);
    return;
  }
  console.log(
    formatTable(
      ["operation", "kept", "now", "change"],
      moved.map(({ name, then, now, change }) => [name, percent(then), percent(now), percent(change)]),
    ),
  );
  if (moved.some(({ change }) => change < 0)) process.exitCode = 1;
}
