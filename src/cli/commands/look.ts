import { existsSync } from "node:fs";
import { basename, join, parse, resolve } from "node:path";
import { Command } from "@commander-js/extra-typings";
import type { Command as Program } from "commander";
import { type LookResult, look } from "../../evaluation/look.js";
import { counted } from "../../text.js";
import { percent, printJson, printLine } from "../display/print.js";
import { wholeNumber } from "../flags.js";
import { looking } from "../predicting.js";
import { runTask } from "../run-task.js";
import { addTyped } from "../typed.js";

export function register(program: Program): void {
  addTyped(
    program,
    looking(
      new Command("look")
        .description("visualise a picture's activations layer by layer, and what the answer depends on")
        .argument("<run>", "folder of a run, or a checkpoint's file")
        .argument("<picture>", "picture file")
        .option("--out <folder>", "where the page and drawings go; default look/<run>/<the picture's folder and name>")
        .option("--force", "replace a look that is there")
        .option("--class <name>", "what speaks for this class; default the most probable")
        .option("--square <pixels>", "side of the square that hides a part", wholeNumber(1, 256), 48)
        .option("--step <pixels>", "from one hidden place to the next", wholeNumber(1, 256), 16),
    ).action(async (run, picture, { json, square, step, out = defaultFolder(run, picture), ...options }) => {
      const occlusion = { size: square, step };
      const result = await runTask((task) => look({ ...options, run, picture, out, occlusion, ...task }));
      if (json) printJson({ out, ...result });
      else print(out, result);
    }),
  );
}

/** `look/<run>/<the picture's folder>-<its name>`, with a number where that is taken: cameras' names come again. */
function defaultFolder(run: string, picture: string): string {
  const { dir, name } = parse(resolve(picture));
  const base = join("look", basename(resolve(run)).replace(/\.safetensors$/, ""), `${basename(dir)}-${name.trim()}`);
  let folder = base;
  for (let number = 2; existsSync(folder); number++) folder = `${base}-${number}`;
  return folder;
}

function print(out: string, { picture, predictions, probability, mostTelling, files, ...rest }: LookResult): void {
  printLine(`${picture}: ${predictions.map((row) => `${row.class} ${percent(row.probability)}`).join(", ")}`);
  const { size, top, left } = mostTelling;
  printLine(
    `${rest.class}: from ${percent(probability)} to ${percent(mostTelling.probability)} without the ${size}x${size} at ${left},${top}`,
  );
  const page = join(out, "index.html");
  printLine(`${page}: a page of ${counted(files.length - 2, "drawing")}, beside it`);
}
