import { Command } from "@commander-js/extra-typings";
import type { Command as Program } from "commander";
import { importModel } from "../../formats/import.js";
import { parameterCount } from "../../network/parameters.js";
import { writeImportedRun } from "../../runs/imported-run.js";
import { quoteForShell } from "../display/hints.js";
import { printLine, thousands } from "../display/print.js";
import { triple } from "../flags.js";
import { parseMean, readClasses } from "../import-arguments.js";
import { addTyped } from "../typed.js";

export function register(program: Program): void {
  addTyped(
    program,
    new Command("import")
      .description("make a run of a network trained elsewhere: PyTorch, safetensors, ONNX or Caffe")
      .argument("<file>", ".pt, .pth, .safetensors, .onnx or .caffemodel")
      .requiredOption("--out <run>", "folder to make")
      .option("--network <name|file>", "where the file doesn't say: a name of `alexnet networks`, or a JSON file")
      .option("--mean <file|r,g,b>", "subtracted from pixels: a .binaryproto or .npy, or three numbers")
      .option("--scale <r,g,b>", "then multiplied by: one number or three", triple)
      .option("--classes <file|ids|names>", "a text file with a name a line; or ImageNet's ids, or names")
      .option("--ignore <names>", "tensors that no prediction depends on, commas between; * stands for any characters")
      .option("--force", "replace an earlier import")
      .action(async (file, { out, network, mean, scale, classes, ignore, force }) => {
        const imported = await importModel(file, {
          network,
          mean: mean === undefined ? undefined : parseMean(mean),
          scale,
          classes: classes === undefined ? undefined : readClasses(classes),
          ignore: ignore?.split(","),
        });
        writeImportedRun(out, imported, file, force);
        const { model, format, assumptions } = imported;
        const parameters = thousands(parameterCount(model.network));
        printLine(
          `${out}: ${model.network.name}, ${parameters} parameters, ${model.classes.length} classes (${format})`,
        );
        for (const { assumed, option } of assumptions) printLine(`assumed: ${assumed} (--${option} says otherwise)`);
        printLine(`try: alexnet classify ${quoteForShell(out)} picture.jpg`);
      }),
  );
}
