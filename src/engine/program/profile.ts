import { median } from "../../scoring/quantiles.js";
import type { LayerTime, Profile } from "../engine.js";
import type { Operation } from "./operations.js";

export type ProfiledOperation = Omit<Operation, "phase" | "bucket" | "run">;

/**
 * Rows in the order the operations run.
 * @param times by operation, its milliseconds in each step
 * @param whole each step's, from the first operation to the last
 */
export function profileOf(
  operations: readonly ProfiledOperation[],
  times: readonly Float64Array[],
  whole: Float64Array,
): Profile {
  const rows = operations.map(
    ({ layer, kind, direction, implementation, bytes, flops = 0, serial = false }, i): LayerTime => ({
      layer,
      kind,
      direction,
      implementation,
      bytes,
      flops,
      milliseconds: median(times[i] ?? []),
      serialMilliseconds: serial ? median(times[i] ?? []) : 0,
    }),
  );
  return { rows, milliseconds: median(whole) };
}

/** One row for those of a kind: what they take together. */
export function joinRows(rows: readonly LayerTime[]): readonly LayerTime[] {
  const joined = new Map<string, LayerTime>();
  for (const row of rows) {
    const key = `${row.layer} ${row.kind} ${row.direction}`;
    const before = joined.get(key);
    joined.set(key, before === undefined ? row : joinedRow(before, row));
  }
  return [...joined.values()];
}

function joinedRow(a: LayerTime, b: LayerTime): LayerTime {
  const names = new Set([...a.implementation.split(", "), b.implementation]);
  return {
    ...a,
    implementation: [...names].join(", "),
    bytes: a.bytes + b.bytes,
    flops: a.flops + b.flops,
    milliseconds: a.milliseconds + b.milliseconds,
    serialMilliseconds: a.serialMilliseconds + b.serialMilliseconds,
  };
}
