import { Command, InvalidArgumentError } from "@commander-js/extra-typings";
import { measureScaling, predictScaling, type ScalingMeasurement, timesAtRate } from "../../../benchmark/scaling.js";
import { scalingCharts, type WirePrediction } from "../../../benchmark/scaling-figure.js";
import type { Wire } from "../../../distributed/cost/collectives.js";
import { launchOf } from "../../../distributed/mpi/launcher.js";
import { openMpiWorld } from "../../../distributed/mpi/world.js";
import { alone } from "../../../distributed/world.js";
import { chartFile } from "../../../drawing/chart.js";
import { openEngine } from "../../../engine/host/open.js";
import { resolveNetwork } from "../../../network/networks.js";
import { scaleWidth } from "../../../network/transform.js";
import { writeWhole } from "../../../system/files.js";
import { checkOutput } from "../../../system/outputs.js";
import { printJson } from "../../display/print.js";
import { bitRate, printPredictions, printScalingMeasurement } from "../../display/scaling.js";
import { positiveNumber, wholeNumber } from "../../flags.js";
import { computing } from "../../predicting.js";

/** `bench scaling`, alone or as every rank of `mpirun` */
export function scaling() {
  return computing(
    new Command("scaling")
      .description("how training would grow to more nodes, from what a step takes here; under mpirun, on its ranks")
      .option(
        "--wire <rates>",
        "rates of a node's wire, e.g. 10gbit,100gbit (default: 10gbit; under mpirun, as measured)",
        wires,
      )
      .option("--latency <time>", "of a message on that wire, e.g. 2us", latency, 20e-6)
      .option("--nodes <most>", "predict up to this many", wholeNumber(1, 65_536), 1024)
      .option("--rate <images/s>", "of a node alone, in place of what was measured", positiveNumber())
      .option("--batch <pictures>", "pictures a node and step", wholeNumber(1), 128)
      .option("--steps <count>", "timed steps", wholeNumber(1), 5)
      .option("--network <name|file>", "network to run", "paper")
      .option("--width <factor>", "multiplies the feature maps of every layer", positiveNumber(16), 1)
      .option("--svg <file>", "save the curves as SVG"),
  ).action(async ({ wire, latency, nodes, rate, batch, steps, width, svg, json, ...options }) => {
    if (svg !== undefined) checkOutput(svg, "svg");
    const network = scaleWidth(resolveNetwork(options.network), width);
    const world = launchOf(process.env) === undefined ? alone : openMpiWorld();
    const engine = await openEngine(options.engine, options);
    const measured = await measureScaling(engine, network, world, { batchSize: batch, steps });
    await engine.close();
    await world.close();
    if (world.rank !== 0) return;
    const times = rate === undefined ? measured.times : timesAtRate(measured, rate);
    const predicted = wiresOf(measured, wire, latency).map(([name, one]) => ({
      name,
      predictions: predictScaling(network, { times, batchSize: batch }, one, nodes),
    }));
    if (json) printJson({ ...measured, predicted });
    else {
      const setting = { engine: engine.description, network: network.name, batch, width, steps };
      printScalingMeasurement(setting, measured);
      printPredictions(predicted);
    }
    if (svg !== undefined) writeWhole(svg, chartFile(scalingCharts(predicted)));
  });
}

/** What is predicted for, and what it is called. */
function wiresOf(
  { together, sumBytesPerSecond }: ScalingMeasurement,
  rates: readonly number[] | undefined,
  latency: number,
): readonly (readonly [WirePrediction["name"], Wire])[] {
  if (rates === undefined && together !== undefined)
    return [[`what these ranks have between them, ${bitRate(together.wire.bytesPerSecond)}`, together.wire]];
  return (rates ?? [1.25e9]).map((bytesPerSecond) => [
    bitRate(bytesPerSecond),
    { bytesPerSecond, latency, sumBytesPerSecond },
  ]);
}

const bitsIn: Readonly<Record<string, number>> = { m: 1e6, g: 1e9, t: 1e12 };

/** "10gbit", "1gbit,2.5gbit", "100Gbit/s": bytes a second. */
function wires(text: string): readonly number[] {
  return text.split(",").map((rate) => {
    const [, count, unit = ""] = /^(\d+(?:\.\d+)?)\s*([mgt])bit(?:\/s)?$/i.exec(rate.trim()) ?? [];
    const bytes = (Number(count) * (bitsIn[unit.toLowerCase()] ?? Number.NaN)) / 8;
    if (!(bytes > 0)) throw new InvalidArgumentError("Give rates such as 10gbit, 800mbit or 10gbit,100gbit.");
    return bytes;
  });
}

const secondsIn: Readonly<Record<string, number>> = { us: 1e-6, ms: 1e-3 };

/** "20us", "0.5ms": seconds. */
function latency(text: string): number {
  const [, count, unit = ""] = /^(\d+(?:\.\d+)?)\s*(us|ms)$/.exec(text.trim()) ?? [];
  const seconds = Number(count) * (secondsIn[unit] ?? Number.NaN);
  if (!(seconds >= 0)) throw new InvalidArgumentError("Give a time such as 2us or 0.5ms.");
  return seconds;
}
