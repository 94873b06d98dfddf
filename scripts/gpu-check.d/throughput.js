import { measureThroughput } from "../../dist/benchmark/throughput.js";
import { networkOf, table, withCuda } from "./common.js";

/** Steps as training takes them, the pictures of each brought while the one before runs; predictions by themselves. */
export default async function throughput({ keep, batches, steps, precision, ...options }) {
  const network = networkOf(options);
  const training = batches.map((batchSize) => ({ mode: "train", batchSize, ahead: true }));
  const predicting = [1, Math.max(...batches)].map((batchSize) => ({ mode: "predict", batchSize }));
  const rows = [];
  for (const how of [...training, ...predicting, { mode: "predict", batchSize: Math.max(...batches), ahead: true }]) {
    const measured = await withCuda(precision, (engine) =>
      measureThroughput(engine, network, { steps: how.batchSize === 1 ? 10 * steps : steps, ...how }),
    );
    rows.push({ ...how, ...measured });
    const cells = rows.map(
      ({ mode, ahead, batchSize, imagesPerSecond, milliseconds: { median, p99, least, most } }) => [
        ...[`${mode}${ahead ? ", one ahead" : ""}`, batchSize, imagesPerSecond.toFixed(0)],
        ...[median, p99, least, most].map((value) => value.toFixed(3)),
      ],
    );
    const text = table(["", "batch", "pictures/s", "median ms", "p99", "least", "most"], cells);
    keep({ data: rows, text: `Pictures brought over for every step, from pinned memory.\n\n${text}` });
  }
}
