import type { Profile } from "../engine.js";
import type { Operation } from "../program/operations.js";

import { profileOf } from "../program/profile.js";
import type { Gpu } from "./gpu.js";
import type { Graph } from "./native/driver.js";

/**
 * Runs all operations in order, `steps` times after one to warm up, as a graph that notes the time after each (put on
 * the stream one by one, the device would often wait for the next); then `step`, the graph that training runs. The
 * pictures are on the device already, `bringOrders` puts the orders on the stream.
 */
export function profileOperations(
  { device }: Gpu,
  bringOrders: () => void,
  operations: readonly Operation[],
  step: Graph,
  steps: number,
): Profile {
  const events = Array.from({ length: operations.length + 1 }, () => device.createEvent({ timed: true }));
  const [first, last] = [events[0], events[operations.length]];
  const times = operations.map(() => new Float64Array(steps));
  const whole = new Float64Array(steps);
  const timed = device.capture(() => {
    bringOrders();
    device.recordInGraph(first);
    for (const [at, operation] of operations.entries()) {
      operation.run();
      device.recordInGraph(events[at + 1]);
    }
  });
  try {
    timed.launch();
    for (let i = 0; i < steps; i++) {
      timed.launch();
      device.wait();
      for (const [at, own] of times.entries()) own[i] = device.elapsed(events[at], events[at + 1]);
    }
    step.launch();
    for (let i = 0; i < steps; i++) {
      device.record(first);
      step.launch();
      device.record(last);
      whole[i] = device.elapsed(first, last);
    }
  } finally {
    device.wait();
    timed.close();
    for (const event of events) event.close();
  }
  return profileOf(operations, times, whole);
}
