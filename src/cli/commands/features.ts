import { extname } from "node:path";
import { Command } from "@commander-js/extra-typings";
import type { Command as Program } from "commander";
import { AlexnetError } from "../../errors.js";
import { features } from "../../evaluation/features.js";
import { type MatrixFormat, matrixFormats } from "../../formats/matrix-file.js";
import { printJson, printLine } from "../display/print.js";
import { predicting } from "../predicting.js";
import { runTask } from "../run-task.js";
import { addTyped } from "../typed.js";

export function register(program: Program): void {
  addTyped(
    program,
    predicting(
      new Command("features")
        .description("write what a layer makes of pictures: vectors to compare, sort or learn from")
        .argument("<run>", "folder of a run, or a checkpoint's file")
        .argument("<pictures...>", "picture files, or folders of them")
        .requiredOption("--out <file>", "file to write, .safetensors or .npy")
        .option("--layer <name>", "default the last hidden layer: relu7, the 4096 activations of fc7"),
    ).action(async (run, pictures, { json, ...options }) => {
      const format = formatOf(options.out);
      const summary = await runTask((task) => features({ ...options, run, pictures, format, ...task }));
      const { out, layer, shape, imagesPerSecond } = summary;
      if (json) printJson(summary);
      else printLine(`${out}: ${layer}, ${shape.join("x")} float32; ${imagesPerSecond.toFixed(1)} pictures a second`);
    }),
  );
}

function formatOf(out: string): MatrixFormat {
  const format = matrixFormats.find((name) => `.${name}` === extname(out).toLowerCase());
  if (format === undefined) throw new AlexnetError("invalid-option", `--out ${out}: must end in .safetensors or .npy`);
  return format;
}
