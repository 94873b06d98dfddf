import { Command } from "@commander-js/extra-typings";
import type { Command as Program } from "commander";
import { precisions } from "../../engine/engine.js";
import { engineNames } from "../../engine/host/engines.js";
import { report } from "../../report/report.js";
import { errors } from "../../scoring/scores.js";
import { PreparingDisplay } from "../display/preparing.js";
import { byteSize, percent } from "../display/print.js";
import { Progress } from "../display/progress.js";
import { choice, ENGINE_HELP, PRECISION_HELP, VIEWS_HELP, viewCount, wholeNumber } from "../flags.js";
import { interruptible } from "../interruption.js";
import { addTyped } from "../typed.js";

export function register(program: Program): void {
  addTyped(
    program,
    new Command("report")
      .description("write an HTML page about a trained network: curves, confusion, mistakes, filters")
      .argument("<run>", "folder of a run, or a checkpoint's file")
      .argument("[pictures]", "folders of classes, or a prepared store; default what the run was trained on")
      .option("--out <file.html>", "default report.html in the run's folder")
      .option("--pictures <count>", "the most pictures in it, about 5 kB each", wholeNumber(0), 1000)
      .option("--views <count>", VIEWS_HELP, viewCount, 1)
      .option("--split <name>", "val, train or all", choice(["val", "train", "all"]), "val")
      .option("--checkpoint <name>", "best or last", choice(["best", "last"]), "best")
      .option("--batch <pictures>", "pictures a batch", wholeNumber(1))
      .option("--engine <name>", ENGINE_HELP, choice(["auto", ...engineNames]), "auto")
      .option("--precision <name>", PRECISION_HELP, choice(precisions))
      .option("--threads <count>", "threads that compute", wholeNumber(1))
      .option("--workers <count>", "threads that load pictures", wholeNumber(1))
      .option("--json", "print JSON")
      .action(async (run, data, { batch: batchSize, json, ...options }) => {
        const preparing = new PreparingDisplay();
        const progress = new Progress("evaluating");
        const { out, bytes, evaluation } = await interruptible((signal) =>
          report({
            ...options,
            run,
            data,
            batchSize,
            signal,
            onEvent: (event) => {
              if (event.kind === "preparing") preparing.update(event);
              else if (event.kind === "progress") {
                preparing.stop();
                progress.update(event.done, event.total);
              }
            },
          }),
        ).finally(() => {
          preparing.stop();
          progress.stop();
        });
        const { top1, top5 } = errors(evaluation);
        if (json) console.log(JSON.stringify({ out, bytes, top1Error: top1, top5Error: top5 }, undefined, 2));
        else console.log(`${out}: ${byteSize(bytes)}; top-1 error ${percent(top1)}, top-5 error ${percent(top5)}`);
      }),
  );
}
