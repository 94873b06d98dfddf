import { median } from "../../statistics.js";
import type { Profile } from "../engine.js";
import type { Operation } from "./build.js";

/** Runs all operations in order, `steps` times after one to warm up, and times each. */
export function profileOperations(operations: readonly Operation[], steps: number): Profile {
  for (const operation of operations) operation.run();
  const times = operations.map(() => new Float64Array(steps));
  const whole = new Float64Array(steps);
  for (let step = 0; step < steps; step++) {
    const start = performance.now();
    let before = start;
    for (const [i, operation] of operations.entries()) {
      operation.run();
      const now = performance.now();
      times[i][step] = now - before;
      before = now;
    }
    whole[step] = before - start;
  }
  const rows = operations.map(({ layer, kind, direction, implementation, bytes, flops = 0 }, i) => ({
    ...{ layer, kind, direction, implementation, bytes, flops },
    milliseconds: median(times[i]),
  }));
  return { rows, milliseconds: median(whole) };
}
