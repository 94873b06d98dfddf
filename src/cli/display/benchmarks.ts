import { type LayerRow, type LayerTable, rateWithThreads } from "../../benchmark/layers.js";
import type { Loading } from "../../benchmark/loading.js";
import type { Throughput } from "../../benchmark/throughput.js";
import type { Engine } from "../../engine/engine.js";
import { byteSize, percent, printLine, printTable, thousands } from "./print.js";

/** What was run. */
export interface Setting {
  readonly engine: Engine["description"];
  readonly network: string;
  readonly batch: number;
  readonly width: number;
  readonly steps: number;
}

/** @param float32Gflops the machine's matrix rate in float32, where the engine computes in another precision */
export function printThroughput(setting: Setting, result: Throughput, float32Gflops?: number): void {
  const { imagesPerSecond, gflops, gemmGflops, fraction, peakMemoryBytes, milliseconds } = result;
  printLine(describe(setting));
  printLine(
    `${imagesPerSecond.toFixed(1)} images/s, ${duration(milliseconds.median)} a step (median of ${setting.steps}; 99 % within ${duration(milliseconds.p99)})`,
  );
  printLine(
    `${gflops.toFixed(0)} GFLOP/s, ${percent(fraction)} of this machine's matrix product (${gemmGflops.toFixed(0)} GFLOP/s${float32Gflops === undefined ? "" : `; in float32 ${float32Gflops.toFixed(0)}`})`,
  );
  printLine(`${byteSize(peakMemoryBytes)} of memory at most`);
}

export function printLayers(setting: Setting, table: LayerTable): void {
  printLine(`${describe(setting)}, median of ${setting.steps} steps`);
  printTable(["layer", "operation", "ms", "share", "rate", "of machine", "implementation"], table.rows.map(layerCells));
  const { stepMilliseconds, sumMilliseconds, gemmGflops, copyRate } = table;
  printLine(`rows sum to ${sumMilliseconds.toFixed(0)} ms; the step takes ${stepMilliseconds.toFixed(0)} ms`);
  const rates = [16, 64].map((wanted) => {
    const rate = rateWithThreads(table, setting.batch, { measured: setting.engine.threads, wanted });
    return `${thousands(Math.round(rate))} images/s with ${wanted}`;
  });
  printLine(
    `one thread alone does ${table.serialMilliseconds.toFixed(1)} ms of it, which lets ${rates.join(", ")} threads at the most`,
  );
  printLine(`the machine: ${gemmGflops.toFixed(0)} GFLOP/s in a matrix product, ${copyRate.toFixed(1)} GB/s copying`);
}

export function printLoading(results: readonly Loading[]): void {
  printTable(
    ["encoding", "pictures/s", "bytes a picture", "memory grew by"],
    results.map(({ encoding, picturesPerSecond, bytesPerPicture, memoryGrowthBytes }) => [
      encoding,
      thousands(Math.round(picturesPerSecond)),
      byteSize(bytesPerPicture),
      byteSize(Math.max(0, memoryGrowthBytes)),
    ]),
  );
}

export function describe({ engine: { library, instructionSet, threads }, network, batch, width }: Setting): string {
  return `${library}, ${instructionSet}, ${threads} threads; ${network}, batch ${batch}, width ${width}`;
}

export function duration(milliseconds: number): string {
  return `${milliseconds.toFixed(milliseconds < 100 ? 1 : 0)} ms`;
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
