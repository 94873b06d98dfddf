import { join } from "node:path";
import { expect } from "vitest";
import type { Checkpoint } from "#src/runs/checkpoint/format.js";
import { checkpointPath } from "#src/runs/checkpoint/keep.js";
import { readCheckpoint } from "#src/runs/checkpoint/read.js";
import { readMetrics } from "#src/runs/metrics.js";

export function lastCheckpoint(run: string): Checkpoint {
  return readCheckpoint(checkpointPath(join(run, "checkpoints"), "last"));
}

/** The rows without what the clock says. */
export function rowsOf(run: string): readonly unknown[] {
  return readMetrics(join(run, "metrics.jsonl")).map((row) => ({
    ...row,
    imagesPerSecond: 0,
    waiting: 0,
    ...("seconds" in row && { seconds: 0 }),
  }));
}

/** The same parameters, momentum and metrics, to the last bit. */
export function expectSameRun(a: string, b: string): void {
  const [left, right] = [lastCheckpoint(a), lastCheckpoint(b)];
  expect(Buffer.from(left.model.parameters.buffer).equals(Buffer.from(right.model.parameters.buffer))).toBe(true);
  expect(Buffer.from(left.momentum.buffer).equals(Buffer.from(right.momentum.buffer))).toBe(true);
  expect(rowsOf(a)).toEqual(rowsOf(b));
}
