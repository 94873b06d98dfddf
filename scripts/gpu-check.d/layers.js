import { measureLayers } from "../../dist/benchmark/layers.js";
import { networkOf, table, withCuda } from "./common.js";

/** Each operation's time beside what its operations and bytes take at the device's own rates. */
export default async function layers({ keep, batches, steps, precision, ...options }) {
  const network = networkOf(options);
  const data = {};
  const texts = [];
  for (const batchSize of batches) {
    const found = await withCuda(precision, (engine) => measureLayers(engine, network, { batchSize, steps }));
    data[batchSize] = found;
    const rows = found.rows.map((row) => {
      const least = Math.max(row.flops / found.gemmGflops / 1e6, row.bytes / found.copyRate / 1e6);
      const numbers = [row.flops / 1e9, row.bytes / 1e6, row.milliseconds, least].map((value) => value.toPrecision(3));
      const share = `${((100 * row.milliseconds) / found.sumMilliseconds).toFixed(1)} %`;
      return [row.layer, row.direction, ...numbers, (row.milliseconds / least).toFixed(1), share, row.implementation];
    });
    const rates = `${(found.gemmGflops / 1e3).toFixed(0)} TFLOP/s in a matrix product, ${found.copyRate.toFixed(0)} GB/s copying`;
    const sum = `the rows sum up to ${((100 * found.sumMilliseconds) / found.stepMilliseconds).toFixed(0)} %`;
    texts.push(
      `Batch ${batchSize}, ${precision}: ${found.stepMilliseconds.toFixed(2)} ms a step (${sum}), ${((1000 * batchSize) / found.stepMilliseconds).toFixed(0)} pictures/s resident on the device; ${rates}`,
      table(["layer", "operation", "GFLOP", "MB", "ms", "at best", "times that", "share", "implementation"], rows),
    );
    keep({ data, text: texts.join("\n\n") });
  }
}
