import type { Profile } from "../engine.js";
import { profileOf } from "../program/profile.js";
import type { PreparedOperation } from "./build.js";
import { type Gpu, Usage } from "./gpu.js";
import { millisecondsOf, putOnPass } from "./passes.js";

/** Bytes of a time. */
const TIME = 8;

/** Times that a query set holds in every implementation. */
const MOST_TIMES = 4096;

/**
 * Runs all operations in order, `steps` times after one to warm up, each in a pass of its own: timed by the device's
 * clock where it has one, else by waiting after each. Then as steps run them, all in one pass.
 */
export async function profileOperations(
  gpu: Gpu,
  operations: readonly PreparedOperation[],
  steps: number,
): Promise<Profile> {
  const times = operations.map(() => new Float64Array(steps));
  const byDevice = gpu.device.features.has("timestamp-query") && 2 * operations.length <= MOST_TIMES;
  const timed = byDevice ? await deviceClock(gpu, operations) : hostClock(gpu, operations);
  await timed.step();
  for (let i = 0; i < steps; i++)
    for (const [at, milliseconds] of (await timed.step()).entries()) times[at][i] = milliseconds;
  timed.close();
  const whole = new Float64Array(steps);
  const all = operations.flatMap(({ dispatches }) => dispatches);
  for (let i = 0; i < steps; i++) whole[i] = await millisecondsOf(gpu, all);
  return profileOf(operations, times, whole);
}

interface Timed {
  /** Runs all once. @returns by operation, its milliseconds */
  step(): Promise<readonly number[]>;
  close(): void;
}

function hostClock(gpu: Gpu, operations: readonly PreparedOperation[]): Timed {
  return {
    async step() {
      const times: number[] = [];
      for (const { dispatches } of operations) times.push(await millisecondsOf(gpu, dispatches));
      return times;
    },
    close() {},
  };
}

async function deviceClock(gpu: Gpu, operations: readonly PreparedOperation[]): Promise<Timed> {
  const { device } = gpu;
  const count = 2 * operations.length;
  const querySet = device.createQuerySet({ type: "timestamp", count });
  const bytes = TIME * count;
  const resolved = await gpu.allocate(bytes, Usage.queries | Usage.copyFrom);
  return {
    async step() {
      const encoder = device.createCommandEncoder();
      for (const [at, { dispatches }] of operations.entries()) {
        const timestampWrites = { querySet, beginningOfPassWriteIndex: 2 * at, endOfPassWriteIndex: 2 * at + 1 };
        const pass = encoder.beginComputePass({ timestampWrites });
        putOnPass(pass, dispatches);
        pass.end();
      }
      encoder.resolveQuerySet(querySet, 0, count, resolved, 0);
      device.queue.submit([encoder.finish()]);
      const nanoseconds = new BigUint64Array(await gpu.read(resolved, 0, bytes));
      return operations.map((_, at) => Number(nanoseconds[2 * at + 1] - nanoseconds[2 * at]) / 1e6);
    },
    close() {
      querySet.destroy();
      resolved.destroy();
    },
  };
}
