import { Argument } from "./bindings.js";
import { Build, type Operation } from "./build.js";
import type { Library } from "./library.js";

/** What the machine can do at best, by the library's own operations: the yardsticks of benchmarks. */

const RUNS = 4;

/** Operations per second of float32 matrix products of `size` cubed. */
export function matrixRate(library: Library, size: number): number {
  const build = new Build(library);
  try {
    const descriptor = build.descriptor([size, size], "row-major");
    const product = library.bindings.matmul(descriptor, descriptor, descriptor, build.attributes);
    const [a, b, c] = [0, 1, 2].map(() => build.tensor(descriptor));
    build.execute({ layer: "matmul", kind: "fully-connected", direction: "forward" }, product, [
      [Argument.src, a],
      [Argument.weights, b],
      [Argument.dst, c],
    ]);
    const [operation] = build.finish();
    for (const factor of [a, b]) fillVaried(build.floats(factor));
    return (2 * size ** 3) / leastSeconds(operation);
  } finally {
    build.close();
  }
}

/** Bytes read and written per second when copying `bytes`. */
export function copyRate(library: Library, bytes: number): number {
  const build = new Build(library);
  try {
    const descriptor = build.descriptor([Math.ceil(bytes / 4)], "row-major");
    const [from, to] = [0, 1].map(() => build.tensor(descriptor));
    build.reorderInto(from, to, { layer: "copy", kind: "reorder", direction: "forward" });
    const [operation] = build.finish();
    fillVaried(build.floats(from));
    return operation.bytes / leastSeconds(operation);
  } finally {
    build.close();
  }
}

/** Zeros can be quicker than numbers. */
function fillVaried(values: Float32Array): void {
  for (let i = 0; i < values.length; i++) values[i] = (i % 251) / 251 - 0.5;
}

function leastSeconds(operation: Operation): number {
  operation.run(); // warms up
  const seconds = Array.from({ length: RUNS }, () => {
    const start = performance.now();
    operation.run();
    return (performance.now() - start) / 1000;
  });
  return Math.min(...seconds);
}
