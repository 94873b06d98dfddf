import { leastSeconds, productOperations, secondsOf, varied } from "../program/machine-rates.js";
import type { Operation } from "../program/operations.js";
import { type Arithmetic, float32 } from "./arithmetic.js";
import { Build } from "./build.js";
import { Argument } from "./native/bindings.js";
import type { Library } from "./native/library.js";
import { copy } from "./parameters.js";

/** What the machine can do at best, by the library's own operations: the yardsticks of benchmarks. */

const RUNS = 4;

/** Operations per second of matrix products of `size` cubed. */
export function matrixRate(library: Library, size: number, arithmetic: Arithmetic): number {
  const build = new Build(library, arithmetic);
  try {
    const descriptor = build.descriptor([size, size], "row-major");
    const product = build.library.bindings.matmul(descriptor, descriptor, descriptor, build.attributes);
    const [a, b, c] = [0, 1, 2].map(() => build.tensor(descriptor));
    build.execute({ layer: "matmul", kind: "fully-connected", direction: "forward" }, product, [
      [Argument.src, a],
      [Argument.weights, b],
      [Argument.dst, c],
    ]);
    const [operation] = build.finish();
    const values = varied(size * size);
    for (const factor of [a, b]) copy(build, factor, [size, size], values, "write");
    return productOperations(size) / leastOf(operation);
  } finally {
    build.close();
  }
}

/** Bytes read and written per second when copying `bytes`. */
export function copyRate(library: Library, bytes: number): number {
  const build = new Build(library, float32);
  try {
    const descriptor = build.descriptor([Math.ceil(bytes / 4)], "row-major");
    const [from, to] = [0, 1].map(() => build.tensor(descriptor));
    build.reorderInto(from, to, { layer: "copy", kind: "reorder", direction: "forward" });
    const [operation] = build.finish();
    const values = build.floats(from);
    values.set(varied(values.length));
    return operation.bytes / leastOf(operation);
  } finally {
    build.close();
  }
}

function leastOf(operation: Operation): number {
  return leastSeconds(RUNS, () => secondsOf(operation.run));
}
