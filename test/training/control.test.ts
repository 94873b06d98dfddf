import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { askRun, type Control, isPaused } from "#src/runs/control.js";
import type { TrainEvent } from "#src/runs/events.js";
import { RunFolder } from "#src/runs/folder.js";
import { readMetrics } from "#src/runs/metrics.js";
import { resume, type TrainOptions, train } from "#src/training/train.js";
import { drawnPictures } from "../support/pictures.js";
import { expectSameRun } from "../support/runs.js";
import { quickTraining } from "../support/training.js";

const pictures = drawnPictures({ train: 10, val: 3 });
const { newRun } = pictures;

/** 30 pictures in batches of 8: 4 steps an epoch. */
function options(run: string, onEvent?: (event: TrainEvent) => void): TrainOptions {
  return quickTraining(pictures.path, run, { seed: 5, metricsEvery: 1, ...(onEvent && { onEvent }) });
}

/** Trains, and asks for something after a step; gives what was told. */
async function asking(run: string, asks: Readonly<Record<number, Control>>): Promise<readonly TrainEvent[]> {
  const events: TrainEvent[] = [];
  await train(
    options(run, (event) => {
      events.push(event);
      const asked = event.kind === "step" ? asks[event.step] : undefined;
      if (asked !== undefined) askRun(run, asked);
    }),
  );
  return events;
}

describe("a run that trains, asked by another process", () => {
  test("lowers its learning rate by ten, says so in its log, and keeps it when it goes on", async () => {
    const [plain, run] = [newRun(), newRun()];
    await train(options(plain));
    const events = await asking(run, { 2: "lower-rate" });
    expect(events).toContainEqual({ kind: "control", action: "lower-rate", rateFactor: 0.1 });
    const ratesOf = (path: string) => readMetrics(join(path, "metrics.jsonl")).map(({ learningRate }) => learningRate);
    const [usual, lowered] = [ratesOf(plain), ratesOf(run)];
    expect(lowered.slice(0, 2)).toEqual(usual.slice(0, 2));
    for (const [i, rate] of lowered.entries()) if (i >= 4) expect(rate / (usual[i] ?? 0)).toBeCloseTo(0.1, 9);
    expect(readFileSync(join(run, "log.txt"), "utf8")).toMatch(
      /asked for: lower-rate; learning rates are multiplied by 0\.1 from now on/,
    );
    for (const path of [plain, run]) await resume({ run: path, epochs: 4, override: true });
    expect((ratesOf(run).at(-1) ?? 0) / (ratesOf(plain).at(-1) ?? 0)).toBeCloseTo(0.1, 9);
  });

  test("saves when told to, beside the checkpoints that are due", async () => {
    const run = newRun();
    const steps = (await asking(run, { 1: "save" })).flatMap((event) =>
      event.kind === "checkpoint" ? [event.step] : [],
    );
    expect(steps.some((step) => step > 1 && step < 4)).toBe(true);
  });

  test("stops after saving everything, and goes on as if it had not been stopped", async () => {
    const [whole, parts] = [newRun(), newRun()];
    await train(options(whole));
    await expect(asking(parts, { 5: "stop" })).rejects.toMatchObject({
      code: "interrupted",
      message: expect.stringMatching(/^stopped in epoch 2 after step \d+; everything is saved/),
    });
    await resume({ run: parts });
    expectSameRun(parts, whole);
  });

  test("is paused until told to go on, without another bit in what it learns", async () => {
    const [whole, run] = [newRun(), newRun()];
    await train(options(whole));
    const folder = new RunFolder(run);
    const training = asking(run, { 3: "pause" });
    while (!isPaused(folder)) await setTimeout(20);
    const size = () => readFileSync(join(run, "metrics.jsonl")).length;
    await setTimeout(300);
    const before = size();
    await setTimeout(500);
    expect(size()).toBe(before);
    askRun(run, "resume");
    await training;
    expect(isPaused(folder)).toBe(false);
    expectSameRun(run, whole);
  });

  test("can't be asked when nothing trains there, and leaves nothing behind", async () => {
    const run = newRun();
    await train(options(run));
    expect(() => askRun(run, "pause")).toThrow(/nothing trains there, so it can't be asked to pause/);
    expect(() => askRun(join(run, "none"), "pause")).toThrow(expect.objectContaining({ code: "not-found" }));
    for (const name of ["control.jsonl", "control.jsonl.taken", "paused"])
      expect(existsSync(join(run, name))).toBe(false);
  });
});
