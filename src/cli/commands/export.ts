import { existsSync } from "node:fs";
import { extname } from "node:path";
import { Command } from "@commander-js/extra-typings";
import type { Command as Program } from "commander";
import { AlexnetError } from "../../errors.js";
import { modelPath } from "../../evaluation/loaded-model.js";
import { type ExportFormat, exportFormats, exportModel } from "../../formats/export.js";
import { exportPage } from "../../report/classify-page.js";
import { readModel } from "../../runs/checkpoint/read.js";
import { checkOutput } from "../../system/outputs.js";
import { byteSize, printLine } from "../display/print.js";
import { choice } from "../flags.js";
import { addTyped } from "../typed.js";

const endings: Readonly<Record<string, ExportFormat>> = {
  ".onnx": "onnx",
  ".safetensors": "safetensors",
  ".pt": "pytorch",
  ".pth": "pytorch",
};

export function register(program: Program): void {
  addTyped(
    program,
    new Command("export")
      .description(
        "write a trained network for other programs, ONNX, safetensors or PyTorch, or as a page that classifies",
      )
      .argument("<run>", "folder of a run, or a checkpoint's file")
      .option("--out <file>", "file to write")
      .option("--page <folder>", "folder to write a page to that classifies in the browser, for any static host")
      .option("--format <name>", `${exportFormats.join(", ")}; default by the file's ending`, choice(exportFormats))
      .option("--with-preprocessing", "ONNX: from uint8 pictures to probabilities, all in the graph")
      .option("--float16", "ONNX: parameters in half precision")
      .option("--checkpoint <name>", "best or last", choice(["best", "last"]), "best")
      .option("--force", "replace what is there")
      .action(async (run, { out, page, checkpoint, format: asked, ...options }) => {
        if ((out === undefined) === (page === undefined))
          throw new AlexnetError("invalid-option", "give one of --out <file> and --page <folder>");
        if (page !== undefined) {
          const bytes = await exportPage(readModel(modelPath(run, checkpoint)), page, options);
          printLine(`${page}: a page that classifies, ${byteSize(bytes)}; serve it with any web server`);
          return;
        }
        if (out === undefined) return;
        const format = asked ?? formatOf(out);
        if (!options.force && existsSync(out)) throw argumentTaken(out);
        checkOutput(out, "out"); // both said before the model is read
        const model = readModel(modelPath(run, checkpoint));
        const bytes = await exportModel(model, out, { ...options, format });
        printLine(`${out}: ${format}, ${byteSize(bytes)}`);
      }),
  );
}

function argumentTaken(out: string): AlexnetError {
  const hint = { advice: "replace it", option: "force", value: true };
  return new AlexnetError("invalid-option", `${out}: is there already`, { hint });
}

function formatOf(path: string): ExportFormat {
  const format = endings[extname(path).toLowerCase()];
  if (format === undefined)
    throw new AlexnetError(
      "invalid-option",
      `--out ${path}: its ending says no format; give --format: ${exportFormats.join(", ")}`,
    );
  return format;
}
