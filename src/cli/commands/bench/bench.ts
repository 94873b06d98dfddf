import { Command } from "@commander-js/extra-typings";
import type { Command as Program } from "commander";
import { measureLayers } from "../../../benchmark/layers.js";
import { MATRIX_SIZE, measureThroughput } from "../../../benchmark/throughput.js";
import type { Engine, PrecisionChoice } from "../../../engine/engine.js";
import type { EngineName } from "../../../engine/host/engines.js";
import { openEngine } from "../../../engine/host/open.js";
import type { Network } from "../../../network/network.js";
import { resolveNetwork } from "../../../network/networks.js";
import { scaleWidth } from "../../../network/transform.js";
import { printLayers, printThroughput, type Setting } from "../../display/benchmarks.js";
import { printJson } from "../../display/print.js";
import { positiveNumber, wholeNumber } from "../../flags.js";
import { computing } from "../../predicting.js";
import { addTyped } from "../../typed.js";
import { loader } from "./loader.js";
import { scaling } from "./scaling.js";

export function register(program: Program): void {
  const bench = new Command("bench").description("measure speed on this machine").helpGroup("Look around:");
  bench
    .addCommand(throughput("train"))
    .addCommand(throughput("predict"))
    .addCommand(layers())
    .addCommand(loader())
    .addCommand(scaling());
  addTyped(program, bench);
}

function throughput(mode: "train" | "predict") {
  const what = mode === "train" ? "training" : "prediction";
  return onSyntheticPictures(mode)
    .description(`images per second of ${what}, end to end, on synthetic pictures`)
    .action(async ({ json, ...options }) => {
      await withEngine(options, async (engine, network, setting) => {
        const { batch: batchSize, steps } = options;
        const result = await measureThroughput(engine, network, { mode, batchSize, steps });
        if (json) printJson(result);
        else printThroughput(setting, result, await rateInFloat32(options, engine));
      });
    });
}

function layers() {
  return onSyntheticPictures("layers")
    .description("where the time of a training step goes, layer by layer")
    .action(async ({ json, ...options }) => {
      await withEngine(options, async (engine, network, setting) => {
        const { batch: batchSize, steps } = options;
        const table = await measureLayers(engine, network, { batchSize, steps });
        if (json) printJson(table);
        else printLayers(setting, table);
      });
    });
}

function onSyntheticPictures(name: string) {
  return computing(
    new Command(name)
      .option("--batch <pictures>", "pictures a step", wholeNumber(1), 128)
      .option("--steps <count>", "timed steps", wholeNumber(1), 10)
      .option("--network <name|file>", "network to run", "paper")
      .option("--width <factor>", "multiplies the feature maps of every layer", positiveNumber(16), 1),
  );
}

/** The machine's matrix rate in float32, beside that of an engine that computes in another precision. */
async function rateInFloat32(
  { engine: name, threads }: BenchOptions,
  { description }: Engine,
): Promise<number | undefined> {
  if (description.precision === "float32") return undefined;
  const engine = await openEngine(name, { threads, precision: "float32" });
  try {
    return (await engine.measureMatrixRate(MATRIX_SIZE)) / 1e9;
  } finally {
    await engine.close();
  }
}

interface BenchOptions {
  readonly batch: number;
  readonly steps: number;
  readonly network: string;
  readonly width: number;
  readonly engine: "auto" | EngineName;
  readonly threads?: number;
  readonly precision?: PrecisionChoice;
}

async function withEngine(
  { network: name, width, batch, steps, engine: engineName, threads, precision }: BenchOptions,
  use: (engine: Engine, network: Network, setting: Setting) => Promise<void>,
): Promise<void> {
  const network = scaleWidth(resolveNetwork(name), width);
  const engine = await openEngine(engineName, { threads, precision });
  try {
    await use(engine, network, { engine: engine.description, network: network.name, batch, width, steps });
  } finally {
    await engine.close();
  }
}
