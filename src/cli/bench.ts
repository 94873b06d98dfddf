import { Command } from "@commander-js/extra-typings";
import type { Command as Program } from "commander";
import { measureThroughput } from "../benchmark/throughput.js";
import { engineNames } from "../engine/engine.js";
import { openEngine } from "../engine/open.js";
import { resolveNetwork } from "../network/networks.js";
import { scaleWidth } from "../network/transform.js";
import { choice, positiveNumber, wholeNumber } from "./options.js";
import { byteSize, percent } from "./print.js";
import { addTyped } from "./typed.js";

export function register(program: Program): void {
  const bench = new Command("bench").description("measure speed on this machine").helpGroup("Look around:");
  for (const mode of ["train", "predict"] as const) bench.addCommand(throughput(mode));
  addTyped(program, bench);
}

function throughput(mode: "train" | "predict") {
  return new Command(mode)
    .description(
      `images per second of ${mode === "train" ? "training" : "prediction"}, end to end, on synthetic pictures`,
    )
    .option("--batch <pictures>", "pictures a step", wholeNumber(1), 128)
    .option("--steps <count>", "timed steps", wholeNumber(1), 10)
    .option("--network <name|file>", "network to run", "paper")
    .option("--width <factor>", "maps of every layer, times this", positiveNumber(16), 1)
    .option("--engine <name>", "auto, onednn or reference", choice(["auto", ...engineNames]), "auto")
    .option("--threads <count>", "threads that compute", wholeNumber(1))
    .option("--json", "print JSON")
    .action(async ({ batch, steps, network: name, width, engine: engineName, threads, json }) => {
      const network = scaleWidth(resolveNetwork(name), width);
      const engine = await openEngine(engineName, threads === undefined ? {} : { threads });
      try {
        const result = await measureThroughput(engine, network, { mode, batchSize: batch, steps });
        if (json) {
          console.log(JSON.stringify(result, undefined, 2));
          return;
        }
        const { library, instructionSet, threads: used } = engine.description;
        const { imagesPerSecond, gflops, gemmGflops, fraction, peakMemoryBytes, milliseconds } = result;
        console.log(`${library}, ${instructionSet}, ${used} threads; ${network.name}, batch ${batch}, width ${width}`);
        console.log(
          `${imagesPerSecond.toFixed(1)} images/s (median of ${steps} steps: ${milliseconds.median.toFixed(0)} ms)`,
        );
        console.log(
          `${gflops.toFixed(0)} GFLOP/s, ${percent(fraction)} of this machine's matrix product (${gemmGflops.toFixed(0)} GFLOP/s)`,
        );
        console.log(`${byteSize(peakMemoryBytes)} of memory at most`);
      } finally {
        await engine.close();
      }
    });
}
