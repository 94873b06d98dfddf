import type { Profile } from "../engine.js";
import { joinRows, type ProfiledOperation, profileOf } from "../program/profile.js";

/** Runs all operations in order, `steps` times after one to warm up, and times each; one row for those of a kind. */
export function profileOperations(
  operations: readonly (ProfiledOperation & { run(): void })[],
  steps: number,
): Profile {
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
  const { rows, milliseconds } = profileOf(operations, times, whole);
  return { rows: joinRows(rows), milliseconds };
}
