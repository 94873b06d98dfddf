import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Command } from "@commander-js/extra-typings";
import type { Command as Program } from "commander";
import { claimFolder, type DemoSettings } from "../../demo/folder.js";
import { drawPictures, type PictureSet } from "../../demo/pictures.js";
import { subjects } from "../../demo/subjects/subjects.js";
import { openEngine } from "../../engine/host/open.js";
import { quoteForShell } from "../display/hints.js";
import { clock, thousands } from "../display/print.js";
import { positiveNumber, wholeNumber } from "../flags.js";
import { runTask } from "../run-task.js";
import { addTyped } from "../typed.js";

/** Chosen so that two cores are done in a few minutes. */
const defaults = { pictures: 200, width: 0.25, epochs: 13, seed: 1 } as const;

/** Pictures a step: with so few pictures, small batches make up in steps. */
const BATCH = 32;

/** One validation picture to this many training pictures. */
const TRAIN_PER_VAL = 8;

/** Classes of which a held-out picture is classified at the end. */
const shown = ["bicycle", "fish", "snowman", "umbrella"] as const;

export function register(program: Program): void {
  addTyped(
    program,
    new Command("demo")
      .description("draw a picture set, train on it, and show how well that went: a few minutes")
      .helpGroup("Learn and use:")
      .option("--out <folder>", "folder of the demo; an unfinished one is resumed", "demo")
      .option("--fresh", "start over")
      .option("--pictures <count>", "training pictures of each class", wholeNumber(1, 100_000), defaults.pictures)
      .option("--width <factor>", "multiplies the feature maps of every layer", positiveNumber(16), defaults.width)
      .option("--epochs <count>", "times through the pictures", wholeNumber(1), defaults.epochs)
      .option("--seed <number>", "decides every random draw", wholeNumber(0), defaults.seed)
      .action(async ({ out, fresh = false, pictures: train, ...rest }) => {
        process.exitCode = await demonstrate(out, { train, val: Math.ceil(train / TRAIN_PER_VAL), ...rest }, fresh);
      }),
  );
}

/** @returns the exit status: that of the first command that failed, or 0. */
async function demonstrate(out: string, settings: DemoSettings, fresh: boolean): Promise<number> {
  const began = performance.now();
  const { pictures, store, run } = claimFolder(out, settings, fresh);
  if (existsSync(pictures)) console.error(`${pictures}: drawn already`);
  else {
    await (await openEngine("auto")).close(); // where nothing can compute, that is said before pictures are drawn
    await draw(pictures, settings);
  }

  const { width, epochs, seed } = settings;
  const choices = ["--width", `${width}`, "--epochs", `${epochs}`, "--batch", `${BATCH}`, "--seed", `${seed}`];
  const commands = [
    ["prepare", pictures, "--out", store],
    existsSync(join(run, "config.json")) ? ["train", "--resume", run] : ["train", store, "--run", run, ...choices],
    ["evaluate", run, "--views", "10"],
    ["classify", run, ...shown.map((name) => join(pictures, "val", name, "0001.jpg"))],
  ];
  for (const command of commands) {
    const status = await runCommand(command);
    if (status !== 0) return status;
  }
  printNext(run, (performance.now() - began) / 1000);
  return 0;
}

async function draw(out: string, set: PictureSet): Promise<void> {
  const total = (set.train + set.val) * subjects.length;
  console.error(`drawing ${thousands(total)} pictures of ${subjects.length} classes into ${out}`);
  await runTask((task) => drawPictures(out, set, task));
}

/** Runs one of this program's commands as a user would, showing it first. @returns its exit status. */
function runCommand(args: readonly string[]): Promise<number> {
  console.error(`\n$ alexnet ${args.map(quoteForShell).join(" ")}`);
  const main = fileURLToPath(new URL("../main.js", import.meta.url));
  const child = spawn(process.execPath, [...process.execArgv, main, ...args], { stdio: "inherit" });
  // A terminal sends Ctrl-C to both: the command saves and ends, and this waits for it.
  const stay = (): void => {};
  const pass = (signal: NodeJS.Signals): void => void child.kill(signal);
  process.on("SIGINT", stay).on("SIGTERM", pass).on("SIGHUP", pass);
  return new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => resolve(code ?? 1));
  }).finally(() => process.off("SIGINT", stay).off("SIGTERM", pass).off("SIGHUP", pass));
}

function printNext(run: string, seconds: number): void {
  const next = [
    [`alexnet classify ${quoteForShell(run)} <pictures>`, "what it makes of others"],
    ["alexnet train <folder>", "your own classes: <folder>/<class>/*.jpg"],
    ["alexnet info --network paper --batch 128", "the paper's network, and what it needs"],
    ["alexnet --help", "all commands"],
  ] as const;
  const width = Math.max(...next.map(([command]) => command.length));
  console.error(`\nall of that took ${clock(seconds)}; next:`);
  for (const [command, purpose] of next) console.error(`  ${command.padEnd(width)}  ${purpose}`);
}
