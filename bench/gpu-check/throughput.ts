import { measureThroughput, type Throughput, type ThroughputOptions } from "#src/benchmark/throughput.js";
import { markdownTable } from "../markdown.js";
import { networkOf, withCuda } from "./common.js";
import type { Keep, StageOptions } from "./stage.js";

type Row = ThroughputOptions & Throughput;

/** Steps as training takes them, the pictures of each brought while the one before runs; predictions by themselves. */
export async function throughput(options: StageOptions, keep: Keep): Promise<void> {
  const { batches, steps, precision } = options;
  const network = networkOf(options);
  const largest = Math.max(...batches);
  const measurements: readonly ThroughputOptions[] = [
    ...batches.map((batchSize) => ({ mode: "train", batchSize, steps, ahead: true }) as const),
    { mode: "predict", batchSize: 1, steps: 10 * steps },
    { mode: "predict", batchSize: largest, steps },
    { mode: "predict", batchSize: largest, steps, ahead: true },
  ];
  const rows: Row[] = [];
  for (const how of measurements) {
    rows.push({ ...how, ...(await withCuda(precision, (engine) => measureThroughput(engine, network, how))) });
    keep({ data: rows, text: `Pictures brought over for every step, from pinned memory.\n\n${describe(rows)}` });
  }
}

function describe(rows: readonly Row[]): string {
  const cells = rows.map(({ mode, ahead, batchSize, imagesPerSecond, milliseconds: { median, p99, least, most } }) => [
    ...[`${mode}${ahead ? ", one ahead" : ""}`, batchSize, imagesPerSecond.toFixed(0)],
    ...[median, p99, least, most].map((value) => value.toFixed(3)),
  ]);
  return markdownTable(["", "batch", "pictures/s", "median ms", "p99", "least", "most"], cells);
}
