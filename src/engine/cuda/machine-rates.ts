import { leastSeconds, productOperations, varied } from "../program/machine-rates.js";
import { Build } from "./build.js";
import type { Gpu } from "./gpu.js";
import { multiply } from "./layers/product.js";

/** What the device can do at best: the yardsticks of benchmarks. */

const RUNS = 8;

/** Operations per second of matrix products of `size` cubed, in the engine's precision. */
export function matrixRate(gpu: Gpu, size: number): number {
  const build = new Build(gpu);
  try {
    const [a, b, d] = [0, 1, 2].map(() => build.tensor(size * size, { kept: true }));
    build.add({ layer: "matmul", kind: "fully-connected", direction: "forward" }, [a, b, d], "cublaslt", () =>
      multiply(build, {
        rows: size,
        columns: size,
        depth: size,
        a: build.matrix(a, size),
        b: build.matrix(b, size),
        d: build.matrix(d, size),
      }),
    );
    const [operation] = build.finish();
    for (const factor of [a, b]) build.write(factor, varied(size * size));
    return productOperations(size) / least(gpu, operation.run);
  } finally {
    build.close();
  }
}

/** Bytes read and written per second when copying `bytes` of device memory. */
export function copyRate(gpu: Gpu, bytes: number): number {
  const build = new Build(gpu);
  try {
    const [from, to] = [0, 1].map(() => build.tensor(Math.ceil(bytes / 4), { format: "float32", kept: true }));
    build.add({ layer: "copy", kind: "reorder", direction: "forward" }, [from, to], "driver", () => {
      const [source, target] = [from, to].map((tensor) => build.address(tensor));
      return () => gpu.device.copy(target, source, from.bytes);
    });
    const [operation] = build.finish();
    return (2 * from.bytes) / least(gpu, operation.run);
  } finally {
    build.close();
  }
}

/** On the device, by its own clock. */
function least({ device }: Gpu, run: () => void): number {
  const [start, end] = [device.createEvent({ timed: true }), device.createEvent({ timed: true })];
  const seconds = leastSeconds(RUNS, () => {
    device.record(start);
    run();
    device.record(end);
    return device.elapsed(start, end) / 1000;
  });
  for (const event of [start, end]) event.close();
  return seconds;
}
