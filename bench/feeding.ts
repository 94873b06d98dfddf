import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { openEngine } from "#src/engine/host/open.js";
import { AlexnetError } from "#src/errors.js";
import type { TrainEvent } from "#src/runs/events.js";
import { RunFolder } from "#src/runs/folder.js";
import { median } from "#src/scoring/quantiles.js";
import { batches, type LoadedBatch, type ReadBatches } from "#src/store/reading/batches.js";
import { openStore } from "#src/store/store.js";
import { taskOf } from "#src/task.js";
import { carryOut } from "#src/training/run.js";
import { readChoices, settle } from "#src/training/settle.js";

const help = `bench/run feeding <store> [--rounds 4] [--steps 10] [--batch 128] [--width 1] [--workers n]

What training loses by reading its pictures: within one training run, so many steps on the store's batches, then as many
on one batch over and over, in turns. The ratio of their rates is 1 when reading costs nothing. An epoch of the store
should have at least two times as many batches as a round has steps.`;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: "string", default: "4" },
    steps: { type: "string", default: "10" },
    batch: { type: "string", default: "128" },
    width: { type: "string", default: "1" },
    workers: { type: "string" },
    help: { type: "boolean", default: false },
  },
});
const [path] = positionals;
if (options.help || path === undefined) {
  console.log(help);
  process.exit(options.help ? 0 : 2);
}

/** First steps of each turn, not timed: batches read during the turn before would make feeding look free. */
const SETTLING = 4;
const rounds = Number(options.rounds);
const timed = Number(options.steps);
const turn = SETTLING + timed; // steps

type Side = "store" | "repeated";
const sideOf = (step: number): Side => (Math.floor(step / turn) % 2 === 0 ? "store" : "repeated");

const stepTimes: Record<Side, number[]> = { store: [], repeated: [] }; // milliseconds, the mean of each turn
const ratios: number[] = [];
let began = 0;
const rate = (step: number): string => `${((1000 * Number(options.batch)) / step).toFixed(1)} images/s`;
const enough = new AbortController();

const store = await openStore(path);
const engine = await openEngine("onednn");
const folder = new RunFolder(mkdtempSync(join(tmpdir(), "alexnet-feeding-")));
try {
  const choices = await readChoices({
    width: Number(options.width),
    batchSize: Number(options.batch),
    epochs: 1000,
    workers: options.workers === undefined ? undefined : Number(options.workers),
  });
  const { config } = await settle(choices, { source: path, store }, engine);
  folder.create(config, store.classes);
  const task = taskOf({ signal: enough.signal, onEvent });
  await carryOut({ folder, config, store, engine, task, read: inTurns });
} catch (error) {
  if (!(error instanceof AlexnetError && error.code === "interrupted")) throw error;
} finally {
  rmSync(folder.path, { recursive: true });
  await engine.close();
  await store.close();
}

const { encoding, counts } = store.info;
console.log(`${encoding} store of ${counts.train} pictures; batch ${options.batch}, width ${options.width}`);
console.log(`store    ${rate(median(stepTimes.store))}`);
console.log(`repeated ${rate(median(stepTimes.repeated))}`);
console.log(`ratio    ${median(ratios).toFixed(3)} (${ratios.map((ratio) => ratio.toFixed(3)).join(" ")})`);

/** An epoch of the store's batches; in the turns that are not the store's, its first one again and again. */
async function* inTurns(given: Parameters<ReadBatches>[0]): AsyncGenerator<LoadedBatch> {
  const source = batches(store, given);
  try {
    const { value: first } = await source.next();
    if (first === undefined) return;
    const repeated = { ...first, release: () => {} }; // its memory is never given to another
    yield repeated;
    for (let step = 1; ; step++) {
      const batch = sideOf(step) === "repeated" ? repeated : (await source.next()).value;
      if (batch === undefined) return;
      yield batch;
    }
  } finally {
    await source.return(undefined);
  }
}

function onEvent(event: TrainEvent): void {
  if (event.kind !== "step") return;
  const step = event.batch - 1;
  const position = step % turn;
  if (position === SETTLING - 1) began = performance.now();
  if (position < turn - 1 || event.batch === event.batches) return; // an epoch's end writes and validates
  const side = sideOf(step);
  stepTimes[side].push((performance.now() - began) / timed);
  console.error(`${side}: ${rate(stepTimes[side].at(-1) ?? Number.NaN)}`);
  if (side === "store") return;
  ratios.push((stepTimes.repeated.at(-1) ?? Number.NaN) / (stepTimes.store.at(-1) ?? Number.NaN));
  if (ratios.length === rounds) enough.abort();
}
