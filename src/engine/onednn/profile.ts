import { median } from "../../scoring/quantiles.js";
import type { Profile } from "../engine.js";
import type { Operation } from "./build.js";

/** Runs all operations in order, `steps` times after one to warm up, and times each; one row for those of a kind. */
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
  const rows = new Map<string, Row>();
  for (const [i, { layer, kind, direction, implementation, bytes, flops = 0 }] of operations.entries()) {
    const row = { layer, kind, direction, implementation, bytes, flops, milliseconds: median(times[i]) };
    const key = `${layer} ${kind} ${direction}`;
    const before = rows.get(key);
    rows.set(key, before === undefined ? row : joined(before, row));
  }
  return { rows: [...rows.values()], milliseconds: median(whole) };
}

type Row = Profile["rows"][number];

function joined(a: Row, b: Row): Row {
  const names = new Set([...a.implementation.split(", "), b.implementation]);
  return {
    ...a,
    implementation: [...names].join(", "),
    bytes: a.bytes + b.bytes,
    flops: a.flops + b.flops,
    milliseconds: a.milliseconds + b.milliseconds,
  };
}
