import { Command } from "@commander-js/extra-typings";
import type { Command as Program } from "commander";
import { type LayerRow, measureLayers } from "../../benchmark/layers.js";
import { measureThroughput } from "../../benchmark/throughput.js";
import { type Engine, type Precision, precisions } from "../../engine/engine.js";
import { type EngineName, engineNames } from "../../engine/host/engines.js";
import { openEngine } from "../../engine/host/open.js";
import type { Network } from "../../network/network.js";
import { resolveNetwork } from "../../network/networks.js";
import { scaleWidth } from "../../network/transform.js";
import { byteSize, percent } from "../../text.js";
import { printTable } from "../display/print.js";
import { choice, ENGINE_HELP, PRECISION_HELP, positiveNumber, wholeNumber } from "../flags.js";
import { addTyped } from "../typed.js";
import { loader } from "./bench-loader.js";

export function register(program: Program): void {
  const bench = new Command("bench").description("measure speed on this machine").helpGroup("Look around:");
  bench.addCommand(throughput("train")).addCommand(throughput("predict")).addCommand(layers()).addCommand(loader());
  addTyped(program, bench);
}

function throughput(mode: "train" | "predict") {
  const what = mode === "train" ? "training" : "prediction";
  return onSyntheticPictures(mode)
    .description(`images per second of ${what}, end to end, on synthetic pictures`)
    .action(async (options) => {
      await withEngine(options, async (engine, network) => {
        const { batch, steps, width, json } = options;
        const result = await measureThroughput(engine, network, { mode, batchSize: batch, steps });
        if (json) {
          console.log(JSON.stringify(result, undefined, 2));
          return;
        }
        const { imagesPerSecond, gflops, gemmGflops, fraction, peakMemoryBytes, milliseconds } = result;
        console.log(`${describe(engine)}; ${network.name}, batch ${batch}, width ${width}`);
        console.log(
          `${imagesPerSecond.toFixed(1)} images/s, ${duration(milliseconds.median)} a step (median of ${steps}; 99 % within ${duration(milliseconds.p99)})`,
        );
        console.log(
          `${gflops.toFixed(0)} GFLOP/s, ${percent(fraction)} of this machine's matrix product (${gemmGflops.toFixed(0)} GFLOP/s)`,
        );
        console.log(`${byteSize(peakMemoryBytes)} of memory at most`);
      });
    });
}

const duration = (milliseconds: number): string => `${milliseconds.toFixed(milliseconds < 100 ? 1 : 0)} ms`;

function layers() {
  return onSyntheticPictures("layers")
    .description("where the time of a training step goes, layer by layer")
    .action(async (options) => {
      await withEngine(options, async (engine, network) => {
        const { batch, steps, width, json } = options;
        const table = await measureLayers(engine, network, { batchSize: batch, steps });
        if (json) {
          console.log(JSON.stringify(table, undefined, 2));
          return;
        }
        console.log(`${describe(engine)}; ${network.name}, batch ${batch}, width ${width}, median of ${steps} steps`);
        printTable(
          ["layer", "operation", "ms", "share", "rate", "of machine", "implementation"],
          table.rows.map(layerCells),
        );
        const { stepMilliseconds, sumMilliseconds, gemmGflops, copyRate } = table;
        console.log(`rows sum to ${sumMilliseconds.toFixed(0)} ms; the step takes ${stepMilliseconds.toFixed(0)} ms`);
        console.log(
          `the machine: ${gemmGflops.toFixed(0)} GFLOP/s in a matrix product, ${copyRate.toFixed(1)} GB/s copying`,
        );
      });
    });
}

function layerCells(row: LayerRow): readonly string[] {
  const rate =
    row.flops > 0
      ? `${(row.flops / row.milliseconds / 1e6).toFixed(0)} GFLOP/s`
      : `${(row.bytes / row.milliseconds / 1e6).toFixed(1)} GB/s`;
  const operation = row.kind === "reorder" ? `${row.direction} reorder` : row.direction;
  return [
    row.layer,
    operation,
    row.milliseconds.toFixed(1),
    percent(row.share),
    rate,
    percent(row.fraction),
    row.implementation,
  ];
}

function onSyntheticPictures(name: string) {
  return new Command(name)
    .option("--batch <pictures>", "pictures a step", wholeNumber(1), 128)
    .option("--steps <count>", "timed steps", wholeNumber(1), 10)
    .option("--network <name|file>", "network to run", "paper")
    .option("--width <factor>", "maps of every layer, times this", positiveNumber(16), 1)
    .option("--engine <name>", ENGINE_HELP, choice(["auto", ...engineNames]), "auto")
    .option("--precision <name>", PRECISION_HELP, choice(precisions))
    .option("--threads <count>", "threads that compute", wholeNumber(1))
    .option("--json", "print JSON");
}

interface EngineOptions {
  readonly network: string;
  readonly width: number;
  readonly engine: EngineName | "auto";
  readonly threads?: number;
  readonly precision?: Precision;
}

async function withEngine(
  { network: name, width, engine: engineName, threads, precision }: EngineOptions,
  use: (engine: Engine, network: Network) => Promise<void>,
): Promise<void> {
  const network = scaleWidth(resolveNetwork(name), width);
  const engine = await openEngine(engineName, { threads, precision });
  try {
    await use(engine, network);
  } finally {
    await engine.close();
  }
}

function describe(engine: Engine): string {
  const { library, instructionSet, threads } = engine.description;
  return `${library}, ${instructionSet}, ${threads} threads`;
}
