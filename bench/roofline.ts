import { parseArgs } from "node:util";
import { syntheticPreprocessing } from "#src/benchmark/synthetic.js";
import type { Gpu } from "#src/engine/cuda/gpu.js";
import { planProgram } from "#src/engine/cuda/plan.js";
import { paper } from "#src/network/architectures/paper.js";
import { markdownTable } from "./markdown.js";

const help = `bench/run roofline [batch …]

Counts the operations and bytes of a training step on the CUDA engine, operation by operation, as Markdown: what
src/engine/cuda/README.md shows. Needs no GPU. Default batches: 128 256 1024.`;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { help: { type: "boolean", default: false } },
});
if (options.help) {
  console.log(help);
  process.exit();
}
const batches = positionals.length > 0 ? positionals.map(Number) : [128, 256, 1024];
/** What planning asks of a device, which is nothing but this. */
const gpu = {
  precision: "bf16",
  dnn: { prepare: () => ({ workspace: { forward: 0, data: 0, weights: 0 }, close: () => {} }) },
} as unknown as Gpu;

interface Cost {
  readonly layer: string;
  readonly direction: string;
  readonly flops: number;
  readonly bytes: number;
}

const plans = batches.map(costsOf);
const numbers = ({ flops, bytes }: Pick<Cost, "flops" | "bytes">): string[] => [
  flops === 0 ? "" : (flops / 1e9).toFixed(1),
  (bytes / 1e6).toFixed(1),
];
const rows = (plans[0] ?? []).map(({ layer, direction }, i) => [
  ...[layer, direction],
  ...plans.flatMap(({ [i]: cost }) => (cost === undefined ? [] : numbers(cost))),
]);
const totals = plans.flatMap((costs) =>
  numbers({
    flops: costs.reduce((sum, { flops }) => sum + flops, 0),
    bytes: costs.reduce((sum, { bytes }) => sum + bytes, 0),
  }),
);
const heads = ["layer", "operation", ...batches.flatMap((batch) => [`GFLOP at ${batch}`, "MB"])];
console.log(markdownTable(heads, [...rows, ["all", "", ...totals]], 2));

function costsOf(batchSize: number): readonly Cost[] {
  const options = { batchSize, mode: "train", preprocessing: syntheticPreprocessing(paper.input.size) } as const;
  const { build } = planProgram(gpu, paper, options);
  return build.planned
    .filter(({ phase }) => phase !== "prediction")
    .map(({ layer, direction, flops = 0, bytes }) => ({ layer, direction, flops, bytes }));
}
