import type { RanksTogether, ScalingMeasurement, ScalingPrediction } from "../../benchmark/scaling.js";
import type { WirePrediction } from "../../benchmark/scaling-figure.js";
import { computeSeconds } from "../../distributed/cost/step.js";
import { describe, duration, type Setting } from "./benchmarks.js";
import { byteSize, percent, printLine, printTable, thousands } from "./print.js";

/** "10 Gbit/s" */
export function bitRate(bytesPerSecond: number): string {
  const bits = 8 * bytesPerSecond;
  if (bits >= 1e12) return `${Number((bits / 1e12).toPrecision(3))} Tbit/s`;
  return bits >= 1e9
    ? `${Number((bits / 1e9).toPrecision(3))} Gbit/s`
    : `${Number((bits / 1e6).toPrecision(3))} Mbit/s`;
}

export function printScalingMeasurement(setting: Setting, { batchSize, times, together }: ScalingMeasurement): void {
  const seconds = computeSeconds(times);
  const backward = times.buckets.reduce((sum, bucket) => sum + bucket.seconds, 0);
  const bytes = times.buckets.reduce((sum, bucket) => sum + bucket.bytes, 0);
  printLine(`${describe(setting)}, least times of ${setting.steps} steps`);
  printLine(
    `computing: forward ${milliseconds(times.forward)}, backward ${milliseconds(backward)}, update ${milliseconds(times.update)}: ${(batchSize / seconds).toFixed(1)} images/s a node`,
  );
  printLine(`gradients: ${byteSize(bytes)} a step`);
  if (together !== undefined) printTogether(together, seconds, batchSize);
}

function printTogether(
  { ranks, step, exchange, hidden, wire, predicted }: RanksTogether,
  computing: number,
  batch: number,
): void {
  const off = Math.abs(predicted.seconds / step - 1);
  printLine(
    `${ranks} ranks: ${milliseconds(step)} a step together, ${((ranks * batch) / step).toFixed(1)} images/s, ${percent(computing / step)} of linear`,
  );
  printLine(
    `exchange: ${milliseconds(exchange)} with nothing else going on; ${percent(hidden)} of it hidden in a step`,
  );
  printLine(
    `the wire between them: ${bitRate(wire.bytesPerSecond)}, sums included, ${(wire.latency * 1e6).toFixed(0)} us a message`,
  );
  printLine(
    `the model says ${milliseconds(predicted.seconds)} a step, ${percent(off)} ${predicted.seconds < step ? "less" : "more"} than measured`,
  );
}

export function printPredictions(wires: readonly WirePrediction[]): void {
  for (const { name, predictions } of wires) {
    printLine(`\npredicted for a wire of ${name}, a rank a node:\n`);
    printTable(
      ["nodes", "images/s", "linear", "hidden", "sent", "hybrid", "linear", "group", "sent"],
      predictions.map(cells),
    );
    printLine(`\n${verdict(predictions)}`);
  }
}

function cells({ nodes, plain, hybrid }: ScalingPrediction): readonly string[] {
  return [
    thousands(nodes),
    thousands(Math.round(plain.imagesPerSecond)),
    percent(plain.efficiency),
    nodes === 1 ? "" : percent(plain.hidden),
    byteSize(Math.round(plain.sentBytes)),
    thousands(Math.round(hybrid.imagesPerSecond)),
    percent(hybrid.efficiency),
    String(hybrid.group),
    byteSize(Math.round(hybrid.sentBytes)),
  ];
}

/** Whether it is worth it to split fully connected layers over nodes. */
function verdict(predictions: readonly ScalingPrediction[]): string {
  const gain = ({ plain, hybrid }: ScalingPrediction): number => hybrid.imagesPerSecond / plain.imagesPerSecond;
  const most = predictions.reduce((best, one) => (gain(one) > gain(best) ? one : best));
  if (gain(most) < 1.005)
    return "splitting the fully connected layers gains nothing here: computing hides the exchange";
  const factor = gain(most).toFixed(2);
  return `split over groups of ${most.hybrid.group}, the fully connected layers' gradients spare so much that ${most.nodes} nodes are ${factor} times as fast`;
}

function milliseconds(seconds: number): string {
  return duration(1000 * seconds);
}
