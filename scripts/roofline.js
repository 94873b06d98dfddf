// Counts the operations and bytes of a training step on the CUDA engine, operation by operation, as Markdown: what
// docs/gpu.md shows. Needs a build and no GPU: node scripts/roofline.js [batch …]
import { planProgram } from "../dist/engine/cuda/plan.js";
import { paper } from "../dist/network/architectures/paper.js";

const batches = process.argv.length > 2 ? process.argv.slice(2).map(Number) : [128, 256, 1024];
const gpu = {
  precision: "bf16",
  dnn: { prepare: () => ({ workspace: { forward: 0, data: 0, weights: 0 }, close: () => {} }) },
};
const preprocessing = { mean: new Float32Array(256 * 256 * 3), scale: [1, 1, 1] };
const plans = batches.map((batchSize) => {
  const { build, forwardCount } = planProgram(gpu, paper, { batchSize, mode: "train", preprocessing });
  return build.planned.filter((_, i) => i !== forwardCount); // without the softmax of predictions
});
const line = (cells) => `| ${cells.join(" | ")} |`;
const numbers = (flops, bytes) => [flops === 0 ? "" : (flops / 1e9).toFixed(1), (bytes / 1e6).toFixed(1)];
const heads = ["layer", "operation", ...batches.flatMap((batch) => [`GFLOP at ${batch}`, "MB"])];
console.log(line(heads));
console.log(line(heads.map((_, i) => (i < 2 ? "---" : "---:"))));
plans[0].forEach(({ layer, direction }, i) => {
  const cells = plans.flatMap((operations) => numbers(operations[i].flops ?? 0, operations[i].bytes));
  console.log(line([layer, direction, ...cells]));
});
const total = (operations, key) => operations.reduce((sum, operation) => sum + (operation[key] ?? 0), 0);
const totals = plans.flatMap((operations) => numbers(total(operations, "flops"), total(operations, "bytes")));
console.log(line(["all", "", ...totals]));
