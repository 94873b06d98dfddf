import { Command } from "@commander-js/extra-typings";
import type { Command as Program } from "commander";
import { report } from "../../report/report.js";
import { errors } from "../../scoring/scores.js";
import { byteSize, percent, printJson, printLine } from "../display/print.js";
import { wholeNumber } from "../flags.js";
import { evaluating } from "../predicting.js";
import { runTask } from "../run-task.js";
import { addTyped } from "../typed.js";

export function register(program: Program): void {
  addTyped(
    program,
    evaluating(
      new Command("report")
        .description("write an HTML page about a trained network: curves, confusion, mistakes, filters")
        .argument("<run>", "folder of a run, or a checkpoint's file")
        .argument("[pictures]", "folders of classes, or a prepared store; default what the run was trained on")
        .option("--out <file.html>", "default report.html in the run's folder")
        .option("--pictures <count>", "the most pictures in it, about 5 kB each", wholeNumber(0), 1000),
    ).action(async (run, data, { batch: batchSize, json, ...options }) => {
      const { out, bytes, evaluation } = await runTask((task) => report({ ...options, run, data, batchSize, ...task }));
      const { top1, top5 } = errors(evaluation);
      const { meanRecall, macroF1 } = evaluation;
      if (json) printJson({ out, bytes, top1Error: top1, top5Error: top5, meanRecall, macroF1 });
      else {
        const fifth = evaluation.perClass.length > 5 ? `, top-5 error ${percent(top5)}` : "";
        printLine(`${out}: ${byteSize(bytes)}; top-1 error ${percent(top1)}${fifth}`);
        printLine(`over the classes: mean recall ${percent(meanRecall)}, macro F1 ${percent(macroF1)}`);
      }
    }),
  );
}
