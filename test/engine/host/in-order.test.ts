import { setTimeout } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { ComputeEngine, ComputeProgram } from "#src/engine/compute.js";
import type { StepResult } from "#src/engine/engine.js";
import { checkedEngine } from "#src/engine/host/checked.js";
import { inOrder } from "#src/engine/host/in-order.js";
import { parameterCount } from "#src/network/parameters.js";
import { centred, noiseBatch, SMALL_CLASSES, smallNetwork } from "../../support/networks.js";

const options = { batchSize: 2, mode: "train", preprocessing: centred } as const;
const batch = noiseBatch(2, SMALL_CLASSES);
const stepWith = (seed: number) => ({ learningRate: 0.01, momentum: 0.9, weightDecay: 0, seed });

/** An engine whose every call answers late, the first the latest; it logs when each begins and ends. */
function lateEngine(log: string[], batchesAtOnce?: number): ComputeEngine {
  let milliseconds = 20;
  const late = async <T>(name: string, value: T): Promise<T> => {
    log.push(`${name}(`);
    milliseconds = Math.max(1, milliseconds / 2);
    await setTimeout(milliseconds);
    log.push(`)${name}`);
    return value;
  };
  let parameters = new Float32Array(parameterCount(smallNetwork));
  const unused = (): never => {
    throw new Error("not called here");
  };
  const program: ComputeProgram = {
    batchSize: 2,
    memoryBytes: 0,
    batchesAtOnce,
    buckets: [],
    forward: unused,
    backward: unused,
    update: unused,
    step: async (_, { seed }): Promise<StepResult> => {
      const result = await late(`step${seed}`, { loss: seed, correct: 0 });
      if (seed === 13) throw new Error("step 13 failed");
      return result;
    },
    predict: () => late("predict", new Float32Array(2 * SMALL_CLASSES)),
    profile: unused,
    activation: unused,
    inputGradient: unused,
    scoreGradient: unused,
    read: () => late("read", parameters.slice()),
    write: async (_, values) => {
      await late("write", undefined);
      parameters = values.slice();
    },
    close: () => late("close program", undefined),
  };
  return {
    description: { engine: "late", library: "", instructionSet: "", precision: "float32", threads: 1 },
    compile: () => late("compile", program),
    estimateMemory: () => late("estimate", 1),
    differentiate: unused,
    crossEntropy: unused,
    multiply: unused,
    measureMatrixRate: unused,
    measureCopyRate: unused,
    close: () => late("close engine", undefined),
  };
}

const open = (log: string[], batchesAtOnce?: number) => inOrder(checkedEngine(lateEngine(log, batchesAtOnce)));

describe("an engine that answers late", () => {
  test("is called in order, each call once the one before is answered, and finds what that one left", async () => {
    const log: string[] = [];
    const engine = open(log);
    const program = await engine.compile(smallNetwork, options);
    const ones = new Float32Array(parameterCount(smallNetwork)).fill(1);
    const [, values, result] = await Promise.all([
      program.write("parameters", ones),
      program.read("parameters"),
      program.step(batch, stepWith(1)),
      program.step(batch, stepWith(2)),
      engine.estimateMemory(smallNetwork, options),
    ]);
    expect(values).toEqual(ones);
    expect(result.loss).toBe(1);
    expect(log.join(" ")).toBe(
      "compile( )compile write( )write read( )read step1( )step1 step2( )step2 estimate( )estimate",
    );
  });

  test("takes the next batch while one is under way where it says so, and nothing else", async () => {
    const log: string[] = [];
    const program = await open(log, 2).compile(smallNetwork, options);
    await Promise.all([
      program.step(batch, stepWith(1)),
      program.step(batch, stepWith(2)),
      program.read("parameters"),
      program.predict(batch),
    ]);
    expect(log.indexOf("step2(")).toBeLessThan(log.indexOf(")step1"));
    expect(log.indexOf("read(")).toBeGreaterThan(Math.max(log.indexOf(")step1"), log.indexOf(")step2")));
    expect(log.indexOf("predict(")).toBeGreaterThan(log.indexOf(")read"));
  });

  test.each([1, 2])("gives each error to the call it belongs to, with %i batches at once", async (batchesAtOnce) => {
    const program = await open([], batchesAtOnce).compile(smallNetwork, options);
    const outcomes = await Promise.allSettled([
      program.step(batch, stepWith(12)),
      program.step(batch, stepWith(13)),
      program.step({ ...batch, labels: new Int32Array(1) }, stepWith(14)),
      program.step(batch, stepWith(15)),
    ]);
    expect(outcomes).toMatchObject([
      { status: "fulfilled", value: { loss: 12 } },
      { status: "rejected", reason: { message: "step 13 failed" } },
      { status: "rejected", reason: { message: /labels: 1 for 2 samples/ } },
      { status: "fulfilled", value: { loss: 15 } },
    ]);
  });

  test("is closed once everything asked before is answered, its programs first", async () => {
    const log: string[] = [];
    const engine = open(log, 2);
    const program = await engine.compile(smallNetwork, options);
    const step = program.step(batch, stepWith(1));
    await engine.close();
    expect((await step).loss).toBe(1);
    expect(log.slice(2).join(" ")).toBe("step1( )step1 close program( )close program close engine( )close engine");
  });
});
