import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { uniform } from "#src/random.js";
import { Checkpoints } from "#src/runs/checkpoint/keep.js";
import { main } from "../support/command-line.js";
import { drawnPictures } from "../support/pictures.js";
import { expectSameRun } from "../support/runs.js";
import { tinyNetwork } from "../support/training.js";

/** `ALEXNET_KILLS=200 npm run test:long -- training/kills` for a longer try. */
const KILLS = Number(process.env.ALEXNET_KILLS ?? 25);
const SAVE_OPERATIONS = 20; // of a checkpoint's thread on files: open, writes, fsync, close, rename, and the folder's
const SETTLE_OPERATIONS = 12; // after it: links, folders, files that are no longer kept
const KILL_INSIDE_SAVE = new URL("../support/kill-inside-save.js", import.meta.url).href;

const pictures = drawnPictures({ train: 10, val: 3 });

test.skipIf(process.platform === "win32")(
  `killed ${KILLS} times at any instant: ends to the last bit as if never`,
  { timeout: 60_000 + KILLS * 30_000 },
  async () => {
    const network = join(pictures.scratch, "tiny.json");
    writeFileSync(network, JSON.stringify(tinyNetwork));
    const fresh = (run: string): readonly string[] => [
      ...["train", pictures.path, "--run", run, "--network", network, "--batch", "2", "--threads", "1"],
      ...["--workers", "1", "--epochs", "4", "--checkpoint-every", "3 steps", "--metrics-every", "2"],
    ];
    const whole = join(pictures.scratch, "whole");
    const began = performance.now();
    expect(await ending(start(fresh(whole)))).toBe("0");
    const longest = (performance.now() - began) / 2;

    let [kills, torn, runs] = [0, 0, 0];
    while (kills < KILLS) {
      const run = join(pictures.scratch, `killed-${++runs}`);
      const checkpoints = join(run, "checkpoints");
      let ended = false;
      while (!ended) {
        const args = existsSync(join(run, "config.json")) ? ["train", "--resume", run] : fresh(run);
        const child = kills < KILLS ? startAndKill(args, kills, longest) : start(args);
        const status = await ending(child);
        expect(status).toMatch(/^(0|SIGKILL)$/);
        ended = status === "0";
        if (!ended) kills++;
        if (!existsSync(checkpoints)) continue;
        if (readdirSync(checkpoints).some((name) => name.endsWith(".part"))) torn++;
        new Checkpoints(checkpoints, 2).newest((damaged) => expect.fail(damaged.message));
      }
      expectSameRun(whole, run);
    }
    expect(kills).toBe(KILLS);
    console.log(`${kills} kills in ${runs} runs, ${torn} of them inside the writing of a checkpoint`);
  },
);

/** Two of three are killed at a random instant, the third at a random operation on a checkpoint's files. */
function startAndKill(args: readonly string[], draw: number, longest: number): ChildProcess {
  const delay = uniform(1, draw) * longest;
  if (draw % 3 === 0) {
    const operations = draw % 2 === 0 ? SAVE_OPERATIONS : SETTLE_OPERATIONS;
    return start(args, {
      NODE_OPTIONS: `--import ${KILL_INSIDE_SAVE}`,
      ALEXNET_KILL_IN: draw % 2 === 0 ? "save" : "settle",
      ALEXNET_KILL_FROM: String(Date.now() + delay),
      ALEXNET_KILL_AT: String(Math.floor(uniform(2, draw) * operations)),
    });
  }
  const child = start(args);
  const timer = setTimeout(() => child.kill("SIGKILL"), delay);
  child.on("exit", () => clearTimeout(timer));
  return child;
}

function start(args: readonly string[], environment: Readonly<Record<string, string>> = {}): ChildProcess {
  return spawn(process.execPath, [main, ...args], { stdio: "ignore", env: { ...process.env, ...environment } });
}

/** "0" and the like, or the signal that ended it. */
function ending(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => child.on("exit", (code, signal) => resolve(String(code ?? signal))));
}
