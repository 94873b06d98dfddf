import { cpSync, mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Checkpoints } from "#src/runs/checkpoint/keep.js";
import { differences, differingSettings } from "#src/runs/differences.js";
import { RunFolder } from "#src/runs/folder.js";
import { listRuns, readRun, summariseRun } from "#src/runs/list.js";
import { temporaryFolder } from "../support/folders.js";
import { exampleCheckpoint } from "../support/training.js";

function newRun(parent = temporaryFolder(), name = "run"): RunFolder {
  const run = new RunFolder(join(parent, name));
  mkdirSync(run.checkpoints, { recursive: true });
  cpSync(join(import.meta.dirname, "config-of-before.json"), run.file("config.json"));
  return run;
}

/** Gives a run a checkpoint of step 8. */
async function save(run: RunFolder, ended: string | null): Promise<void> {
  const checkpoint = exampleCheckpoint(8);
  const origin = { ...checkpoint.origin, state: { ...checkpoint.origin.state, ended } };
  await new Checkpoints(run.checkpoints, 2).save({ ...checkpoint, origin });
}

const stateOf = (run: RunFolder): string => summariseRun(run).state;

test("a run that nobody trains and that saved nothing yet stopped before the first checkpoint", () => {
  expect(stateOf(newRun())).toBe("stopped before the first checkpoint");
});

test("a run whose lock is held is training, and its process is named", () => {
  const run = newRun();
  const { release } = run.lock();
  expect(stateOf(run)).toBe(`training (process ${process.pid})`);
  release();
  expect(stateOf(run)).toBe("stopped before the first checkpoint");
});

test.skipIf(process.platform === "win32")(
  "a run whose trainer crashed isn't training, though another program has the trainer's process number by now",
  () => {
    const run = newRun();
    writeFileSync(run.lockPath, `process ${process.pid} on ${hostname()}\n`);
    expect(stateOf(run)).toBe("stopped before the first checkpoint");
  },
);

test("a run that another machine trains is training there: nobody here can say otherwise", () => {
  const run = newRun();
  writeFileSync(run.lockPath, "process 4711 on another-machine\n");
  expect(stateOf(run)).toBe("training (process 4711 on another-machine)");
});

test("a run with a checkpoint is stopped, or ended for the reason that its checkpoint says", async () => {
  const run = newRun();
  await save(run, null);
  expect(stateOf(run)).toBe("stopped");
  await save(run, "all 30 epochs are done");
  expect(stateOf(run)).toBe("ended: all 30 epochs are done");
});

test("a run whose last checkpoint is damaged is stopped, and that is said", async () => {
  const run = newRun();
  await save(run, null);
  writeFileSync(join(run.checkpoints, "step-000000008.safetensors"), "damaged");
  expect(stateOf(run)).toBe("stopped; its last checkpoint is damaged");
});

test("runs are listed with the last changed first, damaged ones among them, and what is no run left out", () => {
  const folder = temporaryFolder();
  const names = ["old", "new", "damaged"];
  const runs = names.map((name) => newRun(folder, name));
  for (const [i, run] of runs.entries()) {
    run.log("something happened");
    utimesSync(run.file("log.txt"), 1000 + i, 1000 + i);
  }
  writeFileSync(join(folder, "damaged", "config.json"), "{}");
  mkdirSync(join(folder, "no run"));
  const listed = listRuns(folder);
  expect(listed.map(({ run }) => run)).toEqual(["damaged", "new", "old"].map((name) => join(folder, name)));
  expect(listed[0]?.state).toMatch(/^damaged: .*config\.json/);
  expect(listed[2]?.changed).toBe(new Date(1_000_000).toISOString());
  expect(JSON.parse(JSON.stringify(listed)), "plain data").toEqual(listed);
  expect(() => listRuns(join(folder, "none"))).toThrow(expect.objectContaining({ code: "not-found" }));
});

test("a run's summary counts its rows: epochs, steps and the lowest validation error", () => {
  const run = newRun();
  const row = { step: 4, learningRate: 0.1, loss: 1, top1: 0.5, imagesPerSecond: 100, waiting: 0 };
  const epoch = (epoch: number, step: number, top1Correct: number) => ({
    ...{ ...row, kind: "epoch", epoch, step, layers: [], seconds: 1 },
    validation: { samples: 10, top1Correct, top5Correct: 10, loss: 1 },
  });
  const rows = [{ ...row, kind: "step", epoch: 1 }, epoch(1, 4, 8), epoch(2, 8, 6)];
  writeFileSync(run.file("metrics.jsonl"), rows.map((one) => `${JSON.stringify(one)}\n`).join(""));
  const { summary, metrics } = readRun(run.path);
  expect(summary).toMatchObject({ epoch: 2, epochs: 6, steps: 8, imagesPerSecond: 100 });
  expect(summary.bestError).toBeCloseTo(0.2, 12);
  expect(metrics).toHaveLength(3);
});

test("differences are named leaf by leaf, entries of lists by their names", () => {
  const layers = (filters: number) => ({ network: { layers: [{ name: "conv2", filters }, { name: "fc3" }] } });
  expect(differences(layers(96), layers(48))).toEqual([{ path: "network.conv2.filters", left: 96, right: 48 }]);
  expect(differences({ a: { b: 1, c: [1, 2] } }, { a: { b: 1, c: [1, 3] } })).toEqual([
    { path: "a.c.1", left: 2, right: 3 },
  ]);
  expect(differences({ a: 1 }, { a: 1 })).toEqual([]);
  const settings = differingSettings([{ seed: 1, keep: 2 }, { seed: 2, keep: 2 }, { keep: 2 }]);
  expect(settings).toEqual([{ path: "seed", values: [1, 2, undefined] }]);
});
