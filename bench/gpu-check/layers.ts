import { type LayerTable, measureLayers } from "#src/benchmark/layers.js";
import { markdownTable } from "../markdown.js";
import { networkOf, withCuda } from "./common.js";
import type { Keep, StageOptions } from "./stage.js";

/** Each operation's time beside what its operations and bytes take at the device's own rates. */
export async function layers(options: StageOptions, keep: Keep): Promise<void> {
  const { batches, steps, precision } = options;
  const network = networkOf(options);
  const data: Record<string, LayerTable> = {};
  const texts: string[] = [];
  for (const batchSize of batches) {
    const found = await withCuda(precision, (engine) => measureLayers(engine, network, { batchSize, steps }));
    data[batchSize] = found;
    const { gemmGflops, copyRate, stepMilliseconds, sumMilliseconds } = found;
    const rows = found.rows.map(({ layer, direction, flops, bytes, milliseconds, implementation }) => {
      const least = Math.max(flops / gemmGflops / 1e6, bytes / copyRate / 1e6); // milliseconds
      const numbers = [flops / 1e9, bytes / 1e6, milliseconds, least].map((value) => value.toPrecision(3));
      const share = `${((100 * milliseconds) / sumMilliseconds).toFixed(1)} %`;
      return [layer, direction, ...numbers, (milliseconds / least).toFixed(1), share, implementation];
    });
    const sum = `the rows sum up to ${((100 * sumMilliseconds) / stepMilliseconds).toFixed(0)} %`;
    const rate = `${((1000 * batchSize) / stepMilliseconds).toFixed(0)} pictures/s resident on the device`;
    const own = `${(gemmGflops / 1e3).toFixed(0)} TFLOP/s in a matrix product, ${copyRate.toFixed(0)} GB/s copying`;
    const heads = ["layer", "operation", "GFLOP", "MB", "ms", "at best", "times that", "share", "implementation"];
    texts.push(
      `Batch ${batchSize}, ${precision}: ${stepMilliseconds.toFixed(2)} ms a step (${sum}), ${rate}; ${own}`,
      markdownTable(heads, rows),
    );
    keep({ data, text: texts.join("\n\n") });
  }
}
