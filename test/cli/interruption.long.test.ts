import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { alexnet, main } from "../support/command-line.js";
import { drawnPictures } from "../support/pictures.js";
import { expectSameRun, lastCheckpoint } from "../support/runs.js";
import { drawSome, write } from "../support/stores.js";
import { tinyNetwork } from "../support/training.js";

const pictures = drawnPictures({ train: 10, val: 3 });
const network = join(pictures.scratch, "tiny.json");
const whole = join(pictures.scratch, "whole");
const settings = ["--network", network, "--batch", "2", "--threads", "1", "--epochs", "6"];
const fresh = (run: string): readonly string[] => ["train", pictures.path, "--run", run, ...settings];

beforeAll(() => {
  writeFileSync(network, JSON.stringify(tinyNetwork));
  expect(alexnet(...fresh(whole)).status).toBe(0);
});

describe.skipIf(process.platform === "win32")("train, told to end", () => {
  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const)("by %s: saves, says how to go on, exits with %d, and ends the same", async (signal, status) => {
    const run = join(pictures.scratch, signal);
    const child = start(fresh(run));
    await said(child, "epoch 2/6");
    child.kill(signal);
    const { stderr, ended } = await ending(child);
    expect({ stderr, ended }).toEqual({
      stderr: expect.stringContaining(`everything is saved; resume it: alexnet train --resume ${run}`),
      ended: status,
    });
    expect(lastCheckpoint(run).origin.state.ended).toBeNull();
    expect(alexnet("train", "--resume", run).status).toBe(0);
    expectSameRun(whole, run);
  });

  test("by a second Ctrl-C: at once, in the middle of a step, without damage", async () => {
    const run = join(pictures.scratch, "twice");
    const slow = ["--width", "0.25", "--engine", "reference", "--batch", "30"]; // a step takes many seconds
    const child = start(["train", pictures.path, "--run", run, ...slow]);
    await said(child, `run ${run}`);
    child.kill("SIGINT");
    await said(child, "once more to end at once");
    child.kill("SIGINT");
    const { stderr, ended } = await ending(child);
    expect(ended).toBe("SIGINT");
    expect(stderr).not.toContain("saved.");
    expect(existsSync(join(run, "config.json"))).toBe(true);
  });

  test("twice while it saves: goes on from a whole checkpoint and ends the same", async () => {
    const run = join(pictures.scratch, "saving");
    const child = start(fresh(run));
    await said(child, "epoch 3/6");
    child.kill("SIGINT");
    child.kill("SIGTERM");
    await ending(child);
    expect(alexnet("train", "--resume", run).status).toBe(0);
    expectSameRun(whole, run);
  });
});

describe.skipIf(process.platform === "win32")("prepare, told to end", () => {
  const folder = join(pictures.scratch, "many");
  const store = join(pictures.scratch, "many.store");
  const preparing = ["prepare", folder, "--out", store, "--workers", "1", "--encoding", "raw"];

  beforeAll(async () => {
    const drawn = Object.values(await drawSome("", 20));
    for (let i = 0; i < 3000; i++) write(folder, { [`a/${i}.jpg`]: drawn[i % drawn.length] });
  });

  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("by %s: prepare says how to go on, and other commands what to do first", async (signal, status) => {
    const child = start(preparing);
    await said(child, "preparing: ");
    child.kill(signal);
    const { stderr, ended } = await ending(child);
    expect({ stderr, ended }).toEqual({
      stderr: expect.stringContaining(`alexnet: ${store}: stopped; the same again goes on from here`),
      ended: status,
    });
    for (const command of ["inspect", "verify", "bench loader", "train", `evaluate ${whole}`]) {
      const told = alexnet(...command.split(" "), store);
      expect(told, command).toMatchObject({ status: 1, stdout: "" });
      expect(told.stderr).toContain(
        `alexnet: ${store}: this picture store is not finished; finish it with the call that began it: alexnet prepare`,
      );
    }
  });
});

function start(args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [main, ...args], { stdio: ["ignore", "pipe", "pipe"] });
}

/** Until the program has printed `text`. */
function said(child: ChildProcess, text: string): Promise<void> {
  let all = "";
  return new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr])
      stream?.on("data", (part) => {
        all += part;
        if (all.includes(text)) resolve();
      });
    child.on("exit", () => reject(new Error(`ended without saying "${text}": ${all}`)));
  });
}

/** The exit status or the signal. */
function ending(child: ChildProcess): Promise<{ readonly stderr: string; readonly ended: unknown }> {
  let stderr = "";
  child.stderr?.on("data", (part) => {
    stderr += part;
  });
  return new Promise((resolve) => child.on("close", (code, signal) => resolve({ stderr, ended: code ?? signal })));
}
