import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { checkpointPath } from "#src/runs/checkpoint/keep.js";
import { alexnet, type Finished, main } from "../support/command-line.js";
import { drawnPictures } from "../support/pictures.js";
import { expectSameRun } from "../support/runs.js";
import { tinyNetwork } from "../support/training.js";

const pictures = drawnPictures({ train: 60, val: 1 });
const network = join(pictures.scratch, "tiny.json");
const whole = join(pictures.scratch, "whole");
const STEPS_AN_EPOCH = 180;

const settings = ["--network", network, "--batch", "1", "--threads", "1", "--workers", "1", "--metrics-every", "1"];
const begin = (run: string, epochs: number): readonly string[] => [
  ...["train", pictures.path, "--run", run, "--epochs", String(epochs), ...settings],
];
const goOn = (run: string, ...flags: readonly string[]): readonly string[] => ["train", "--resume", run, ...flags];

beforeAll(() => {
  writeFileSync(network, JSON.stringify(tinyNetwork));
  succeed(alexnet(...begin(whole, 2)));
});

describe.skipIf(process.platform === "win32")("where no file may grow any more", () => {
  test("a checkpoint that finds no room leaves the one before, says so, and the run goes on", () => {
    const run = join(pictures.scratch, "checkpoint");
    const failed = limited(200, begin(run, 2)); // a checkpoint has 800 kB
    expect(failed.status).toBe(1);
    expect(failed.stderr).toMatch(/step-000000180\.safetensors: no room on the disk \(EFBIG\); make room and go on/);
    expect(failed.stderr).toContain(`Nothing is saved yet; begin anew: alexnet train --resume ${run}`);
    succeed(alexnet(...goOn(run, "--override", "--epochs", "1")));
    const before = readFileSync(lastOf(run));

    const again = limited(200, goOn(run, "--override", "--epochs", "2"));
    expect(again.status).toBe(1);
    expect(again.stderr).toContain(`Step 180 is saved; go on from there: alexnet train --resume ${run}`);
    expect(readFileSync(lastOf(run)).equals(before)).toBe(true);
    succeed(alexnet(...goOn(run, "--override", "--epochs", "2")));
    expectSameRun(whole, run);
  });

  test("metrics that find no room end with a whole row, and the run goes on", () => {
    const run = join(pictures.scratch, "metrics");
    succeed(alexnet(...begin(run, 1)));
    const metrics = join(run, "metrics.jsonl");
    const room = Math.ceil((1.5 * readFileSync(metrics).length) / 1024);
    const failed = limited(room, goOn(run, "--override", "--epochs", "2"));
    expect(failed.status).toBe(1);
    expect(failed.stderr).toMatch(/metrics\.jsonl: no room on the disk \(EFBIG\); make room and go on/);
    const rows = readFileSync(metrics, "utf8");
    expect(rows.endsWith("}\n")).toBe(true);
    expect(rows.split("\n").length).toBeGreaterThan(STEPS_AN_EPOCH * 1.2);
    succeed(alexnet(...goOn(run, "--override", "--epochs", "2")));
    expectSameRun(whole, run);
  });
});

test("on a disk that is full the run ends with what to do, and goes on once there is room", (ctx) => {
  const disk = join(pictures.scratch, "disk");
  mkdirSync(disk);
  if (onSmallDisk(disk, "true").status !== 0) return ctx.skip("no small file system can be mounted here");
  const run = join(disk, "run");
  const { status, stdout, stderr } = onSmallDisk(
    disk,
    `"$@" ${words(begin(run, 2))} && exit 9
     mount -o remount,size=64m "$0" && "$@" ${words(goOn(run))} && cp -r "$0/run" ${words([join(pictures.scratch, "from disk")])}`,
  );
  expect(status, stdout + stderr).toBe(0);
  expect(stderr).toMatch(
    /no room on the disk \(ENOSPC\); make room and go on\. Step 180 is saved; go on from there: alexnet train --resume/,
  );
  expectSameRun(whole, join(pictures.scratch, "from disk"));
});

/** The program with files limited to so many units of 1024 bytes. */
function limited(kilobytes: number, args: readonly string[]): Finished {
  return bash('ulimit -f "$0"; exec "$@"', String(kilobytes), process.execPath, main, ...args);
}

/** A script in which "$@" is the program and "$0" a disk with room for one checkpoint, seen by the script alone. */
function onSmallDisk(disk: string, script: string): Finished {
  const mounting = `mount -t tmpfs -o size=1400k none "$0" && { ${script}\n}`;
  return finished("unshare", "--map-root-user", "--mount", "bash", "-c", mounting, disk, process.execPath, main);
}

function bash(script: string, ...args: readonly string[]): Finished {
  return finished("bash", "-c", script, ...args);
}

function finished(command: string, ...args: readonly string[]): Finished {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: "utf8" });
  return { status, stdout, stderr };
}

function words(args: readonly string[]): string {
  return args.map((arg) => `'${arg}'`).join(" ");
}

function lastOf(run: string): string {
  return checkpointPath(join(run, "checkpoints"), "last");
}

function succeed({ status, stdout, stderr }: Finished): void {
  expect(status, stdout + stderr).toBe(0);
}
