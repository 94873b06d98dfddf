import { median } from "../../statistics.js";
import type { Profile } from "../engine.js";
import type { Operation } from "./build.js";
import type { Graph } from "./driver.js";
import type { Gpu } from "./gpu.js";

/**
 * Runs all operations in order, `steps` times after one to warm up, and times each by events on the device; then the
 * whole step, as the graph that training runs. The pictures are on the device already.
 */
export function profileOperations(
  { device }: Gpu,
  operations: readonly Operation[],
  step: Graph | undefined,
  steps: number,
): Profile {
  for (const operation of operations) operation.run();
  const events = Array.from({ length: operations.length + 1 }, () => device.createEvent());
  const [first, last] = [events[0], events[operations.length]];
  const times = operations.map(() => new Float64Array(steps));
  const whole = new Float64Array(steps);
  try {
    for (let i = 0; i < steps; i++) {
      device.record(first);
      for (const [at, operation] of operations.entries()) {
        operation.run();
        device.record(events[at + 1]);
      }
      device.wait();
      for (const [at, own] of times.entries()) own[i] = device.elapsed(events[at], events[at + 1]);
    }
    step?.launch();
    for (let i = 0; i < steps; i++) {
      device.record(first);
      step?.launch();
      device.record(last);
      whole[i] = device.elapsed(first, last);
    }
  } finally {
    device.wait();
    for (const event of events) device.destroyEvent(event);
  }
  const rows = operations.map(({ layer, kind, direction, implementation, bytes, flops = 0 }, i) => ({
    ...{ layer, kind, direction, implementation, bytes, flops },
    milliseconds: median(times[i]),
  }));
  return { rows, milliseconds: median(whole) };
}
