import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { Worker } from "node:worker_threads";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Engine } from "#src/engine/engine.js";
import { openEngine } from "#src/engine/host/open.js";
import { parameterCount } from "#src/network/parameters.js";
import { centred, networkOf, noiseBatch, openIfPossible, SMALL_CLASSES, smallNetwork } from "../../support/networks.js";

const options = { batchSize: 2, mode: "train", preprocessing: centred } as const;
const stepOptions = { learningRate: 0.01, momentum: 0.9, weightDecay: 0, seed: 1 };

let engine: Engine | undefined;
const open = async (): Promise<Engine> => {
  engine = await openEngine("reference");
  return engine;
};
afterEach(async () => {
  vi.restoreAllMocks();
  await engine?.close();
  engine = undefined;
});

describe("an open engine", () => {
  it("leaves the calling thread alive while it computes", async () => {
    const own = await open();
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    await own.measureMatrixRate(256);
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(0);
  });

  it("carries out calls in the order they are made", async () => {
    const own = await open();
    const finished: string[] = [];
    const note = (name: string) => () => finished.push(name);
    const program = await own.compile(smallNetwork, options);
    const ones = new Float32Array(parameterCount(smallNetwork)).fill(1);
    const calls = [
      own.measureMatrixRate(128).then(note("rate")),
      program.write("parameters", ones).then(note("write")),
      program.read("parameters").then((values) => {
        expect(values).toEqual(ones);
        finished.push("read");
      }),
      program.close().then(note("close")),
    ];
    await Promise.all(calls);
    expect(finished).toEqual(["rate", "write", "read", "close"]);
  });

  it("keeps code, message and origin of errors", async () => {
    const own = await open();
    const broken = networkOf(8, { kind: "relu", name: "relu1" });
    const error = await own.compile(broken, options).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: "AlexnetError", code: "invalid-network" });
    expect(String(error)).toContain("the last layer must be fully-connected");
    expect(error).toHaveProperty("stack", expect.stringContaining("shapes.js"));
    expect(await own.measureMatrixRate(8)).toBeGreaterThan(0);
  });

  it("leaves arguments with the caller", async () => {
    const own = await open();
    const program = await own.compile(smallNetwork, options);
    const values = new Float32Array(parameterCount(smallNetwork)).fill(0.01);
    await program.write("parameters", values);
    const batch = noiseBatch(2, SMALL_CLASSES);
    await program.step(batch, stepOptions);
    expect(values).toEqual(new Float32Array(parameterCount(smallNetwork)).fill(0.01));
    expect(batch.pictures.length).toBe(2 * 256 * 256 * 3);
    expect(batch.labels.length).toBe(2);
  });

  it("refuses calls of a closed program, and closes it twice in peace", async () => {
    const own = await open();
    const program = await own.compile(smallNetwork, options);
    await program.close();
    await program.close();
    await expect(program.read("parameters")).rejects.toMatchObject({
      code: "closed",
      message: "read: this program is closed; compile the network again",
    });
  });

  it("finishes what was asked before it closes, and takes no more", async () => {
    const own = await open();
    const rate = own.measureMatrixRate(64);
    const closed = own.close();
    await expect(own.measureMatrixRate(64)).rejects.toMatchObject({
      code: "closed",
      message: "reference: this engine is closed; open it again",
    });
    expect(await rate).toBeGreaterThan(0);
    await closed;
    await own.close();
  });

  it("rejects what is pending when its thread dies", async () => {
    const ref = vi.spyOn(Worker.prototype, "ref");
    const own = await open();
    const [worker] = ref.mock.contexts;
    const pending = [own.measureMatrixRate(512), own.estimateMemory(smallNetwork, options)];
    const outcomes = Promise.allSettled(pending);
    await (worker as Worker).terminate();
    const died = {
      code: "engine",
      message: expect.stringMatching(/^reference: the compute thread ended .*open the engine again$/),
    };
    for (const outcome of await outcomes) expect(outcome).toMatchObject({ status: "rejected", reason: died });
    await expect(own.measureMatrixRate(8)).rejects.toMatchObject(died);
    await own.close();
  });
});

describe("opening", () => {
  it("takes oneDNN for auto, or fails as oneDNN does", async () => {
    const [auto, named] = [await openIfPossible("auto"), await openIfPossible("onednn")];
    if (typeof auto === "string" || typeof named === "string") {
      expect(auto).toBe(named);
      return;
    }
    expect(auto.description).toEqual(named.description);
    await Promise.all([auto.close(), named.close()]);
  });

  it("refuses precisions that an engine does not have, and names those that do", async () => {
    await expect(openEngine("reference", { precision: "bf16" })).rejects.toMatchObject({
      code: "invalid-option",
      message:
        'precision bf16: reference computes in float32; take an engine that has it (engine: "onednn"), or take an engine that has it (engine: "cuda")',
    });
  });

  it.each([0, 1.5, -1, Number.NaN])("refuses %s threads", async (threads) => {
    await expect(openEngine("reference", { threads })).rejects.toMatchObject({
      code: "invalid-option",
      message: expect.stringMatching(/whole number/),
    });
  });

  it("does not keep the process running for an engine that was forgotten or closed", async () => {
    const script = `
      const { openEngine } = await import("#src/engine/host/open.js");
      const [closed, forgotten] = [await openEngine("reference"), await openEngine("reference")];
      await closed.close();
      console.log(forgotten.description.engine);`;
    const run = promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script], { timeout: 50_000 });
    expect((await run).stdout).toBe("reference\n");
  });
});
