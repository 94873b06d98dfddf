import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { alexnet, main } from "../support/command-line.js";
import { drawnPictures } from "../support/pictures.js";
import { tinyNetwork } from "../support/training.js";

const pictures = drawnPictures({ train: 10, val: 3 });
const run = join(pictures.scratch, "run");
const network = join(pictures.scratch, "tiny.json");
const settings = ["--network", network, "--batch", "8", "--threads", "1"];

beforeAll(() => {
  writeFileSync(network, JSON.stringify(tinyNetwork));
  const { status, stderr } = alexnet("train", pictures.path, "--run", run, "--epochs", "8", ...settings);
  expect(status, stderr).toBe(0);
});

describe("train", () => {
  test("says which recipe and why, the engine, and a line an epoch", () => {
    const other = join(pictures.scratch, "said with spaces");
    const { stdout, stderr, status } = alexnet("train", pictures.path, "--run", other, "--epochs", "2", ...settings);
    expect(status, stderr).toBe(0);
    expect(stdout).toMatch(/30 training and 9 validation pictures of 3 classes\n {2}\w+, \w+, \w+\n/);
    expect(stdout).toContain(
      `next:\n  alexnet evaluate '${other}' --views 10\n  alexnet classify '${other}' <pictures>\n  alexnet report '${other}'\n`,
    );
    expect(stdout).toContain("recipe small-unnormalised: 30 training pictures are fewer than 100,000");
    expect(stdout).toMatch(/engine oneDNN [\d.]+/);
    expect(stdout).toMatch(
      /^epoch 1\/2 {2}loss \d\.\d{3} {2}top-1 .* img\/s \(\d+\.\d % waiting\) .*\n {2}validation {2}top-1 [\d.]+ % .*mean recall [\d.]+ % {2}F1 [\d.]+ %( {2}best)?$/m,
    );
    expect(stderr).toMatch(
      /^epoch 1\/2 {2}step 1\/4 {2}loss \d\.\d{3} .* img\/s \(\d+\.\d % waiting\) {2}\d+:\d\d left$/m,
    );
    expect(stdout).toMatch(/^epoch 2\/2 /m);
    expect(stderr).toContain("epoch 1/2  step ");
  });

  test("says that nothing was validated, and what comes next then", () => {
    const other = join(pictures.scratch, "unvalidated");
    const single = join(pictures.scratch, "one-a-class");
    for (const name of readdirSync(join(pictures.path, "train")))
      cpSync(join(pictures.path, "train", name, "0.png"), join(single, name, "0.png"));
    const { stdout, stderr, status } = alexnet("train", single, "--run", other, "--epochs", "1", ...settings);
    expect(status, stderr).toBe(0);
    expect(stderr).toContain("there are no validation pictures");
    expect(stdout).not.toContain("validation  top-1");
    expect(stdout).toMatch(/^nothing was validated; lowest training error in epoch 1: top-1 /m);
    expect(stdout).toContain(`next:\n  alexnet evaluate ${other} <labelled pictures it has not seen>\n`);
  });

  test("each field of the recipe can be replaced by a flag, and is recorded", () => {
    const other = join(pictures.scratch, "fields");
    const fields = [
      ...["--momentum", "0.8", "--weight-decay", "0", "--bias-lr", "2x", "--bias-decay", "0", "--warm-up", "0.5"],
      ...["--policy", "cosine", "--deviation", "0.02", "--biases", "conv1=0.5", "--mean-subtraction", "none"],
      ...["--input-scale", "0.01", "--no-crops", "--no-mirrors", "--colour-deviation", "0"],
    ];
    const { stderr, status } = alexnet("train", pictures.path, "--run", other, "--epochs", "1", ...settings, ...fields);
    expect(status, stderr).toBe(0);
    expect(JSON.parse(readFileSync(join(other, "config.json"), "utf8")).recipe).toMatchObject({
      ...{ momentum: 0.8, weightDecay: 0, biasLearningRate: 2, biasWeightDecay: 0, warmUp: 0.5 },
      ...{ policy: { kind: "cosine" }, initialisation: { deviation: 0.02, biases: { conv1: 0.5 } } },
      ...{ meanSubtraction: "none", inputScale: 0.01, crops: false, mirrors: false, colourDeviation: 0 },
    });
    const changed = alexnet("train", "--resume", other, "--momentum", "0.7");
    expect(changed).toMatchObject({ status: 2, stderr: expect.stringContaining("recipe.momentum: 0.8, now 0.7") });
  });

  test.each([
    [["--policy", "sine"], "Give plateau, step, linear, cosine, or JSON such as"],
    [["--deviation", "small"], "--deviation <number|he>' argument 'small' is invalid"],
    [["--biases", "conv9=1"], "has no layer conv9 with biases; it has conv1"],
  ])("%s is refused", (flags, message) => {
    const { stderr, status } = alexnet(
      "train",
      pictures.path,
      "--run",
      join(pictures.scratch, "no"),
      ...settings,
      ...flags,
    );
    expect(stderr).toContain(message);
    expect(status).toBe(2);
  });

  test("what is one is spoken of in the singular", () => {
    const other = join(pictures.scratch, "single");
    const { stdout } = alexnet("train", pictures.path, "--run", other, "--epochs", "1", ...settings, "--batch", "30");
    expect(stdout).toContain("  1 epoch of 1 batch of 30\n");
  });

  test("--json prints the summary alone to stdout", () => {
    const other = join(pictures.scratch, "json");
    const args = ["train", pictures.path, "--run", other, "--epochs", "1", "--recipe", "paper", "--json", ...settings];
    expect(JSON.parse(alexnet(...args).stdout)).toMatchObject({ run: other, epochs: 1, steps: 4 });
  });

  test("warns of pictures that can't be read and of leakage", () => {
    const folder = join(pictures.scratch, "leaking");
    cpSync(pictures.path, folder, { recursive: true });
    writeFileSync(join(folder, "train", "apple", "bad.png"), "no picture");
    const other = join(pictures.scratch, "leaking-run");
    const { stderr, status } = alexnet("train", folder, "--run", other, "--epochs", "1", ...settings);
    expect(status, stderr).toBe(0);
    expect(stderr).toMatch(/^warning: skipped: 1 picture \(2\.5 %\), see .*skipped\.csv$/m);
    expect(stderr).toMatch(
      /^warning: leakage: 9 validation pictures are in the training split too, see .*duplicates\.csv$/m,
    );
  });

  test.each([
    [[], "name the pictures"],
    [["photos", "--epochs", "0"], "whole number from 1"],
    [["--resume", "a", "--run", "b"], "leave --run out"],
    [["photos", "--checkpoint-every", "5 parsecs"], "Give a time such as"],
  ])("train %j is a usage error", (args, message) => {
    const { status, stderr } = alexnet("train", ...args);
    expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringContaining(message) });
  });

  test("an existing run stays as it is", () => {
    const before = readFileSync(join(run, "config.json"), "utf8");
    const { status, stderr } = alexnet("train", pictures.path, "--run", run);
    expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringContaining("holds a run already") });
    expect(readFileSync(join(run, "config.json"), "utf8")).toBe(before);
  });

  test.skipIf(process.platform !== "linux")("--open serves the run's page and opens it in the browser", async () => {
    const folder = join(pictures.scratch, "browser");
    const opened = join(folder, "opened");
    mkdirSync(folder);
    writeFileSync(join(folder, "xdg-open"), `#!/bin/sh\nprintf %s "$1" > ${opened}\n`, { mode: 0o755 });
    const args = [main, "train", pictures.path, "--run", join(folder, "watched"), "--epochs", "9999", ...settings];
    const child = spawn(process.execPath, [...args, "--open"], {
      env: { ...process.env, PATH: `${folder}:${process.env.PATH}` },
      stdio: ["ignore", "pipe", "ignore"],
    });
    let said = "";
    child.stdout.on("data", (text) => {
      said += text;
    });
    await expect.poll(() => existsSync(opened), { timeout: 60_000 }).toBe(true);
    await expect.poll(() => readFileSync(opened, "utf8")).toMatch(/^http:\/\/127.0.0.1:\d+\/#\/run\/watched$/);
    const link = readFileSync(opened, "utf8");
    expect(said).toContain(`page ${link}`);
    const answer = await fetch(new URL("/api/runs/watched", link));
    expect(await answer.json()).toMatchObject({ state: expect.stringMatching(/^training/) });
    child.kill("SIGINT");
    const [status] = await once(child, "exit");
    expect(status).toBe(130);
  });

  test.skipIf(process.platform === "win32")("Ctrl-C saves, says how to go on, and it goes on", async () => {
    const other = join(pictures.scratch, "interrupted");
    const child = spawn(process.execPath, [
      main,
      "train",
      pictures.path,
      "--run",
      other,
      "--epochs",
      "9999",
      ...settings,
    ]);
    let stderr = "";
    child.stderr.on("data", (text) => {
      stderr += text;
    });
    child.stdout.on("data", (text) => {
      if (String(text).includes("epoch    2/9999")) child.kill("SIGINT");
    });
    const status = await new Promise((resolve) => child.on("exit", resolve));
    expect({ status, stderr }).toEqual({
      status: 130,
      stderr: expect.stringContaining(`resume it: alexnet train --resume ${other}`),
    });
    expect(existsSync(join(other, "checkpoints", "last.safetensors"))).toBe(true);
    const resumed = alexnet("train", "--resume", other, "--override", "--epochs", "4");
    expect(resumed.stdout, resumed.stderr).toContain("going on with");
    expect(resumed.status).toBe(0);
  });
});

describe("evaluate", () => {
  test("a table of both errors and one of the classes", () => {
    const { stdout, status } = alexnet("evaluate", run, pictures.path, "--views", "10");
    expect(status).toBe(0);
    expect(stdout).toContain("9 pictures (val), 10 views");
    expect(stdout).toMatch(/^top-1 +\d+\.\d % +\d+\.\d to \d+\.\d % +\d +\d$/m);
    expect(stdout).not.toContain("top-5"); // of three classes, which all are among the first five
    expect(stdout).toMatch(/^meadow +3 /m);
  });

  test("--json has exact counts; the data may be left out; the splits add up", () => {
    const evaluation = (...args: readonly string[]) => JSON.parse(alexnet("evaluate", run, "--json", ...args).stdout);
    const val = evaluation();
    expect(val).toMatchObject({ split: "val", views: 1, samples: 9 });
    expect(val.top1Error).toBeCloseTo(1 - val.top1Correct / 9, 12);
    const [train, all] = [evaluation("--split", "train"), evaluation("--split", "all")];
    expect(all.samples).toBe(39);
    expect(all.top1Correct).toBe(train.top1Correct + val.top1Correct);
    expect(all.classes).toHaveLength(3);
  });

  test("other classes are an error that names them", () => {
    const { status, stderr } = alexnet("evaluate", run, renamed(join(pictures.path, "train")));
    expect(status).toBe(1);
    expect(stderr).toContain(`${join(pictures.scratch, "renamed")}: its classes are not the network's: it lacks apple`);
    expect(stderr).toContain("leave those out (--allow-missing-classes)");
    expect(stderr).toContain("the network does not know pear");
  });
});

function renamed(folder: string): string {
  const other = join(pictures.scratch, "renamed");
  cpSync(folder, other, { recursive: true });
  renameSync(join(other, "apple"), join(other, "pear"));
  return other;
}

describe("classify", () => {
  const apple = join(pictures.path, "val", "apple", "0.png");

  test("bars for files and folders, the most probable first", () => {
    const { stdout, status } = alexnet("classify", run, apple, join(pictures.path, "val", "lake"));
    expect(status).toBe(0);
    expect(stdout.split("\n").filter((line) => line.endsWith(".png"))).toHaveLength(4);
    expect(stdout).toMatch(/^ {2}\w+ +█+.* +\d+\.\d %$/m);
  });

  test("--json: probabilities add up, the right class leads", () => {
    const [result] = JSON.parse(alexnet("classify", run, apple, "--json").stdout);
    expect(result.file).toBe(apple);
    expect(result.predictions[0].class).toBe("apple");
    const sum = result.predictions.reduce(
      (total: number, { probability }: { probability: number }) => total + probability,
      0,
    );
    expect(sum).toBeCloseTo(1, 5);
  });

  test("--csv, --top and --views", () => {
    const { stdout } = alexnet("classify", run, apple, "--csv", "--top", "2", "--views", "10");
    const lines = stdout.trim().split("\n");
    expect(lines[0]).toBe("file,error,class_1,probability_1,class_2,probability_2");
    expect(lines).toHaveLength(2);
    expect(lines[1]).toMatch(/0\.png,,apple,0\.\d+,\w+,[\d.e-]+$/);
  });

  test("a bad file is reported, the rest go on, and the exit status says so", () => {
    const { stdout, stderr, status } = alexnet("classify", run, "none.jpg", network, apple, "--json");
    expect(status).toBe(1);
    expect(stderr).toContain("alexnet: none.jpg: ");
    expect(stderr).toContain("tiny.json: not a picture");
    expect(JSON.parse(stdout).map((result: object) => "error" in result)).toEqual([true, true, false]);
  });

  test("no run is an error", () => {
    const { stderr, status } = alexnet("classify", join(pictures.scratch, "nothing"), apple);
    expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringContaining("no such run") });
  });
});

describe("info", () => {
  test("the engine, memory, parameters and layers of a network", () => {
    const { stdout } = alexnet("info", "--batch", "16");
    expect(stdout).toMatch(/^engine {3}onednn: oneDNN /);
    expect(stdout).toContain("60,965,224 parameters");
    expect(stdout).toContain("1.449 GFLOP a picture forward, 4.136 in training");
    expect(stdout).toMatch(
      /^conv1 +convolution +filters 96, size 11, stride 4, padding 0, groups 1 +96x55x55 +34,944 +210\.8$/m,
    );
  });

  test("of a run, as JSON", () => {
    const facts = JSON.parse(alexnet("info", run, "--batch", "4", "--json").stdout);
    expect(facts).toMatchObject({ network: "tiny", classes: 3, inputSize: 67, batchSize: 4, engine: "onednn" });
    expect(facts.memoryBytesTraining).toBeGreaterThan(facts.memoryBytesPredicting);
  });
});
