// The same network and weights in onnxruntime-node on the CPU, as a side of bench/compare: reads the file that
// `alexnet export --format onnx` writes. It is handed prepared float32 pictures; alexnet crops and subtracts by itself.
import { availableParallelism } from "node:os";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import ort from "onnxruntime-node";

const { values: options } = parseArgs({
  options: {
    batch: { type: "string", default: "64" },
    model: { type: "string" },
    threads: { type: "string", default: String(availableParallelism()) },
  },
});
const batch = Number(options.batch);
const session = await ort.InferenceSession.create(options.model, {
  intraOpNumThreads: Number(options.threads),
  graphOptimizationLevel: "all",
});
const values = Float32Array.from({ length: batch * 3 * 227 * 227 }, (_, i) => ((i * 7919) % 256) / 58 - 2.2);
const feeds = { [session.inputNames[0]]: new ort.Tensor("float32", values, [batch, 3, 227, 227]) };

for (let i = 0; i < 2; i++) await session.run(feeds);
console.log(JSON.stringify({ version: `onnxruntime-node ${ort.env.versions.node}` }));
for await (const _ of createInterface(process.stdin)) {
  const start = performance.now();
  await session.run(feeds);
  console.log(JSON.stringify({ milliseconds: performance.now() - start }));
}
