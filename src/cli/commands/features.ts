import { extname } from "node:path";
import { Command } from "@commander-js/extra-typings";
import type { Command as Program } from "commander";
import { precisions } from "../../engine/engine.js";
import { engineNames } from "../../engine/host/engines.js";
import { AlexnetError } from "../../errors.js";
import { features } from "../../evaluation/features.js";
import { type MatrixFormat, matrixFormats } from "../../formats/matrix-file.js";
import { reportUnreadable } from "../display/failures.js";
import { Progress } from "../display/progress.js";
import { choice, ENGINE_HELP, PRECISION_HELP, wholeNumber } from "../flags.js";
import { interruptible } from "../interruption.js";
import { addTyped } from "../typed.js";

export function register(program: Program): void {
  addTyped(
    program,
    new Command("features")
      .description("write what a layer makes of pictures: vectors to compare, sort or learn from")
      .argument("<run>", "folder of a run, or a checkpoint's file")
      .argument("<pictures...>", "picture files, or folders of them")
      .requiredOption("--out <file>", "file to write, .safetensors or .npy")
      .option("--layer <name>", "default the last hidden layer: relu7, the 4096 activations of fc7")
      .option("--checkpoint <name>", "best or last", choice(["best", "last"]), "best")
      .option("--engine <name>", ENGINE_HELP, choice(["auto", ...engineNames]), "auto")
      .option("--precision <name>", PRECISION_HELP, choice(precisions))
      .option("--threads <count>", "threads that compute", wholeNumber(1))
      .option("--workers <count>", "threads that decode", wholeNumber(1))
      .option("--json", "print the summary as JSON")
      .action(async (run, pictures, { json, ...options }) => {
        const format = formatOf(options.out);
        const progress = new Progress("features");
        const summary = await interruptible((signal) =>
          features({
            ...options,
            run,
            pictures,
            format,
            signal,
            onEvent: (event) => {
              if (event.kind === "unreadable") reportUnreadable(event.error);
              else progress.update(event.done, event.total);
            },
          }),
        ).finally(progress.stop);
        const { out, layer, shape, imagesPerSecond } = summary;
        if (json) console.log(JSON.stringify(summary, undefined, 2));
        else
          console.log(`${out}: ${layer}, ${shape.join("x")} float32; ${imagesPerSecond.toFixed(1)} pictures a second`);
      }),
  );
}

function formatOf(out: string): MatrixFormat {
  const format = matrixFormats.find((name) => `.${name}` === extname(out).toLowerCase());
  if (format === undefined) throw new AlexnetError("invalid-option", `--out ${out}: must end in .safetensors or .npy`);
  return format;
}
