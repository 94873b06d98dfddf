import { cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { evaluate } from "#src/evaluation/evaluate.js";
import { recipes } from "#src/recipes/recipes.js";
import { checkpointPath } from "#src/runs/checkpoint/keep.js";
import type { TrainEvent } from "#src/runs/events.js";
import { readMetrics } from "#src/runs/metrics.js";
import { readConfig } from "#src/runs/settings.js";
import { type ResumeOptions, resume, type TrainOptions, train } from "#src/training/train.js";
import { openIfPossible } from "../support/networks.js";
import { drawnPictures } from "../support/pictures.js";
import { expectSameRun, lastCheckpoint, rowsOf } from "../support/runs.js";
import { quickTraining } from "../support/training.js";

const pictures = drawnPictures({ train: 10, val: 3 });
const { newRun } = pictures;

/** 30 pictures in batches of 8: 4 steps an epoch, the last with 6. */
function options(run: string, changes: Partial<TrainOptions> = {}): TrainOptions {
  return quickTraining(pictures.path, run, { seed: 5, ...changes });
}

/** Stops after so many steps of this session. */
function stopAfter(steps: number): Pick<TrainOptions, "onEvent" | "signal"> {
  const stop = new AbortController();
  let seen = 0;
  return {
    signal: stop.signal,
    onEvent: (event) => {
      if (event.kind === "step" && ++seen === steps) stop.abort("test");
    },
  };
}

describe("train", () => {
  test("leaves a run folder that holds everything", async () => {
    const run = newRun();
    const events: TrainEvent[] = [];
    const summary = await train(options(run, { onEvent: (event) => events.push(event) }));
    expect(summary).toMatchObject({ run, epochs: 3, steps: 12, reason: "all 3 epochs are done" });
    expect(readdirSync(run).sort()).toEqual(
      [
        "checkpoints",
        "classes.json",
        "config.json",
        "environment.json",
        "lock",
        "log.txt",
        "metrics.jsonl",
        "tensorboard",
      ].sort(),
    );
    expect(JSON.parse(readFileSync(join(run, "classes.json"), "utf8"))).toEqual(["apple", "lake", "meadow"]);
    const { model, origin } = lastCheckpoint(run);
    expect(model.classes).toEqual(["apple", "lake", "meadow"]);
    expect(origin.state).toMatchObject({ epoch: 3, batch: 0, step: 12 });
    expect(rowsOf(run).filter((row) => (row as { kind: string }).kind === "step")).toHaveLength(12);
    expect(readMetrics(join(run, "metrics.jsonl")).at(-1)).toMatchObject({
      kind: "epoch",
      epoch: 3,
      step: 12,
      validation: { samples: 9 },
    });
    const kinds = events.map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === "step")).toHaveLength(12);
    expect(kinds.indexOf("preparing")).toBe(0);
    expect(kinds.at(-1)).toBe("ended");
  });

  test("trains on the reference engine too", async () => {
    const run = newRun();
    await train(options(run, { engine: "reference", epochs: 1 }));
    expect(lastCheckpoint(run).origin.engine.engine).toBe("reference");
  });

  test("learns: three colours are told apart", async () => {
    const run = newRun();
    const recipe = { ...recipes.small, epochs: 12, batchSize: 8 };
    const summary = await train(options(run, { recipe }));
    expect(summary.best?.error).toBe(0);
  });

  test("the same seed gives the same run, with any number of loaders; another seed another", async () => {
    const [a, b, c] = [newRun(), newRun(), newRun()];
    await train(options(a, { workers: 1 }));
    await train(options(b, { workers: 4 }));
    await train(options(c, { seed: 6 }));
    expectSameRun(a, b);
    expect(rowsOf(c)).not.toEqual(rowsOf(a));
  });

  test("never goes into a folder that holds something", async () => {
    const run = newRun();
    await train(options(run, { epochs: 1 }));
    const before = readFileSync(join(run, "config.json"), "utf8");
    await expect(train(options(run))).rejects.toThrow("holds a run already");
    expect(readFileSync(join(run, "config.json"), "utf8")).toBe(before);
    await expect(train(options(pictures.path))).rejects.toThrow("is no run and not empty");
  });

  test("a run that can't begin leaves nothing behind", async () => {
    const run = newRun();
    await expect(train(options(run, { recipe: "none" }))).rejects.toThrow("no recipe is named none");
    expect(existsSync(run)).toBe(false);
  });

  test("keeps the precision that it began with, and goes on in another when told to", async (context) => {
    const engine = await openIfPossible("onednn", { precision: "bf16" });
    if (typeof engine === "string") return context.skip(engine);
    await engine.close();
    const precisionOf = (run: string) => JSON.parse(readFileSync(join(run, "config.json"), "utf8")).precision;
    const inBfloat16 = { engine: "onednn", precision: "bf16", threads: 1 } as const;
    const [whole, stopped, changed] = [newRun(), newRun(), newRun()];
    await train(options(whole, inBfloat16));
    await expect(train(options(stopped, { ...inBfloat16, ...stopAfter(5) }))).rejects.toThrow();
    cpSync(stopped, changed, { recursive: true });
    expect(precisionOf(stopped)).toBe("bf16");
    await resume({ run: stopped });
    expectSameRun(stopped, whole);
    const summary = await resume({ run: changed, precision: "float32" });
    expect(summary).toMatchObject({ steps: 12 });
    expect(precisionOf(changed)).toBe("float32");
    await train(options(newRun(), { engine: "onednn", precision: "auto", threads: 1, epochs: 1 }));
  });
});

describe("resume", () => {
  test.each([
    ["inside an epoch", [2]],
    ["at an epoch's end", [4]],
    ["again and again", [1, 1, 2, 3, 1]],
  ])("stopped %s, ends to the last bit as if never stopped", async (_, stops) => {
    const [whole, parts] = [newRun(), newRun()];
    await train(options(whole, { metricsEvery: 3 }));
    for (const [session, steps] of stops.entries()) {
      const stopping = { ...options(parts, { metricsEvery: 3 }), ...stopAfter(steps) };
      const ending = session === 0 ? train(stopping) : resume({ run: parts, ...stopAfter(steps) });
      await expect(ending).rejects.toMatchObject({ code: "interrupted", cause: "test" });
    }
    await resume({ run: parts });
    expectSameRun(whole, parts);
    const { sessions } = JSON.parse(readFileSync(join(parts, "environment.json"), "utf8"));
    expect(sessions).toHaveLength(stops.length + 1);
  });

  test("goes on with the algorithms it began with, whatever would be chosen now", async () => {
    const [whole, parts] = [newRun(), newRun()];
    const usual = process.env.ALEXNET_ALGORITHMS;
    try {
      process.env.ALEXNET_ALGORITHMS = "product";
      await train(options(whole));
      await expect(train({ ...options(parts), ...stopAfter(5) })).rejects.toThrow("stopped");
    } finally {
      process.env.ALEXNET_ALGORITHMS = usual;
    }
    await resume({ run: parts });
    const { algorithms } = lastCheckpoint(whole).origin;
    expect(Object.values(algorithms ?? {})).toContain("product");
    expect(lastCheckpoint(parts).origin.algorithms).toEqual(algorithms);
    expectSameRun(whole, parts);
  });

  test("a run that has ended says so again and changes nothing; more epochs go on", async () => {
    const run = newRun();
    await train(options(run));
    expect(await resume({ run })).toMatchObject({ reason: "all 3 epochs are done", steps: 12 });
    await expect(resume({ run, epochs: 4 })).rejects.toThrow("only an override changes recipe.epochs: 3, now 4");
    expect(await resume({ run, epochs: 4, override: true })).toMatchObject({ steps: 16 });
    expect(lastCheckpoint(run).origin.state).toMatchObject({ epoch: 4, step: 16 });
  });

  test("a run that is within an epoch beyond those wanted now has done them", async () => {
    const run = newRun();
    await expect(train(options(run, stopAfter(10)))).rejects.toThrow("stopped"); // in the third epoch
    const epochs: number[] = [];
    const onEvent: ResumeOptions["onEvent"] = (event) => {
      if (event.kind === "epoch" || event.kind === "step")
        epochs.push(event.kind === "epoch" ? event.row.epoch : event.epoch);
    };
    expect(await resume({ run, epochs: 2, override: true, onEvent })).toMatchObject({
      reason: "all 2 epochs are done",
    });
    expect(epochs).toEqual([]);
    expect(await resume({ run, epochs: 3, override: true })).toMatchObject({ steps: 12 });
  });

  test("pictures that are gone: an error that says how to name their new place, which is then remembered", async () => {
    const [data, moved] = [join(pictures.scratch, "before"), join(pictures.scratch, "after")];
    cpSync(pictures.path, data, { recursive: true });
    const run = newRun();
    await expect(train(options(run, { data, ...stopAfter(2) }))).rejects.toThrow("stopped");
    renameSync(data, moved);
    rmSync(readConfig(join(run, "config.json")).data.store, { recursive: true });
    await expect(resume({ run })).rejects.toMatchObject({
      code: "not-found",
      problem: `${run}: its pictures are no longer at ${data}`,
      hints: [{ call: "resume", options: { run, data: "path/to/before" } }],
    });
    await expect(evaluate({ run })).rejects.toMatchObject({ code: "not-found", hints: [{ option: "data" }] });
    expect(await resume({ run, data: moved })).toMatchObject({ steps: 12 });
    expect(readConfig(join(run, "config.json")).data.source).toBe(moved);
  });

  test("a damaged last checkpoint: goes on from the one before, says so, and ends the same", async () => {
    const [whole, run] = [newRun(), newRun()];
    const every = { unit: "steps", every: 3 } as const;
    await train(options(whole, { checkpointEvery: every }));
    await expect(train(options(run, { checkpointEvery: every, ...stopAfter(7) }))).rejects.toThrow("stopped");
    writeFileSync(checkpointPath(join(run, "checkpoints"), "last"), "damaged");
    const warnings: string[] = [];
    await resume({ run, onEvent: (event) => event.kind === "warning" && warnings.push(event.problem) });
    expect(warnings.filter((warning) => warning.includes("going on"))).toEqual([
      expect.stringMatching(/step-000000007\.safetensors.*; going on from the checkpoint before it$/),
    ]);
    expectSameRun(whole, run);
    expect(readFileSync(join(run, "log.txt"), "utf8")).toContain("warning: ");
  });

  test("pictures that come into the folder later do no harm: it goes on with those it began with", async () => {
    const data = join(pictures.scratch, "growing");
    cpSync(pictures.path, data, { recursive: true });
    const [run, other] = [newRun(), newRun()];
    await expect(train(options(run, { data, ...stopAfter(2) }))).rejects.toThrow("stopped");
    cpSync(join(data, "train", "lake", "0.png"), join(data, "train", "lake", "new.png"));
    await train(options(other, { data, epochs: 1 }));
    const renewed = resume({ run, data });
    await expect(renewed).rejects.toThrow("(30 training and 9 validation pictures then, 31 and 9 now)");
    await expect(renewed).rejects.toThrow(`or go on with those it began with: resume({ run: "${run}" })`);
    expect(await resume({ run })).toMatchObject({ steps: 12 });
  });

  test("rows that somebody took away are missed", async () => {
    const run = newRun();
    await expect(train(options(run, { metricsEvery: 1, ...stopAfter(3) }))).rejects.toThrow("stopped");
    writeFileSync(join(run, "metrics.jsonl"), "");
    const warnings: string[] = [];
    await resume({ run, onEvent: (event) => event.kind === "warning" && warnings.push(event.problem) });
    expect(warnings).toContainEqual(expect.stringContaining("rows of earlier steps are missing"));
  });

  test("refuses what would make it another run, naming the difference", async () => {
    const run = newRun();
    await train(options(run, { epochs: 1 }));
    await expect(resume({ run, network: "one-weird-trick" })).rejects.toThrow("this run keeps");
    await expect(resume({ run, recipe: "paper" })).rejects.toThrow('recipe.name: "quick", now "paper"');
    await expect(resume({ run, seed: 6 })).rejects.toThrow("seed: 5, now 6");
    await expect(resume({ run, batchSize: 4 })).rejects.toThrow("only an override changes recipe.batchSize: 8, now 4");
    await expect(resume({ run, learningRate: 1 })).rejects.toThrow("recipe.learningRate: 0.01, now 1");
  });

  test("refuses a config.json that was changed by hand", async () => {
    const run = newRun();
    await expect(train(options(run, stopAfter(2)))).rejects.toThrow("stopped");
    const path = join(run, "config.json");
    const config = JSON.parse(readFileSync(path, "utf8"));
    writeFileSync(path, JSON.stringify({ ...config, recipe: { ...config.recipe, momentum: 0.8 } }));
    await expect(resume({ run })).rejects.toThrow("recipe.momentum: 0.9, now 0.8");
  });

  test("a folder without a run is named", async () => {
    await expect(resume({ run: pictures.path })).rejects.toThrow("no training run");
  });
});

test("a run that another process trains is locked, and the process named", async () => {
  const run = newRun();
  const stop = new AbortController();
  let second: Promise<unknown> | undefined;
  const first = train(
    options(run, {
      signal: stop.signal,
      onEvent: (event) => {
        if (event.kind !== "step" || second !== undefined) return;
        second = resume({ run });
        second.catch(() => {}).finally(() => stop.abort());
      },
      epochs: 1000,
    }),
  );
  await expect(first).rejects.toThrow("stopped");
  await expect(second).rejects.toThrow(`process ${process.pid} on `);
  await resume({ run, epochs: 1, override: true });
});
