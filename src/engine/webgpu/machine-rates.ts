import { productOperations, varied } from "../program/machine-rates.js";
import { Build } from "./build.js";
import type { Prepared } from "./dispatch.js";
import type { Gpu } from "./gpu.js";
import { productOf } from "./layers/product.js";
import { millisecondsOf } from "./passes.js";
import { each } from "./wgsl.js";

/** What the device can do at best: the yardsticks of benchmarks. */

const RUNS = 8;
/** Milliseconds after which there are enough of them. */
const LONG_ENOUGH = 2000;

/** Operations per second of matrix products of `size` cubed. */
export async function matrixRate(gpu: Gpu, size: number): Promise<number> {
  const build = new Build(gpu);
  try {
    const [a, b, c] = [0, 1, 2].map(() => build.tensor(size * size, { kept: true }));
    const flops = productOperations(size);
    const info = { layer: "matmul", kind: "fully-connected", direction: "forward", flops } as const;
    build.addQuickest(info, `product ${size}`, productOf(gpu, a, b, c, size));
    const [{ dispatches }] = await build.finish();
    for (const factor of [a, b]) build.write(factor, varied(size * size));
    return flops / (await leastSeconds(gpu, dispatches));
  } finally {
    build.close();
  }
}

/** Bytes read and written per second when copying `bytes` of device memory. */
export async function copyRate(gpu: Gpu, bytes: number): Promise<number> {
  const build = new Build(gpu);
  try {
    const most = Math.min(bytes, gpu.limits.bindingBytes, Math.floor(gpu.limits.bufferBytes / 4));
    const count = Math.max(1, Math.floor(most / 4));
    const [from, to] = [0, 1].map(() => build.tensor(count, { kept: true }));
    const info = { layer: "copy", kind: "reorder", direction: "forward" } as const;
    build.add(info, "copy", [{ bindings: { from_: from, to }, ...each(count, "to[index] = from_[index];") }]);
    const [{ dispatches }] = await build.finish();
    return (2 * from.bytes) / (await leastSeconds(gpu, dispatches));
  } finally {
    build.close();
  }
}

async function leastSeconds(gpu: Gpu, dispatches: readonly Prepared[]): Promise<number> {
  await millisecondsOf(gpu, dispatches); // to warm up
  const times = [await millisecondsOf(gpu, dispatches)];
  const end = performance.now() + LONG_ENOUGH;
  while (times.length < RUNS && performance.now() < end) times.push(await millisecondsOf(gpu, dispatches));
  return Math.min(...times) / 1000;
}
