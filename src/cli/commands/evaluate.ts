import { Command } from "@commander-js/extra-typings";
import type { Command as Program } from "commander";
import { evaluate, type LabelledPrediction } from "../../evaluation/evaluate.js";
import { writeWhole } from "../../system/files.js";
import { checkOutput } from "../../system/outputs.js";
import { evaluationToJson, LISTED, predictionsToCsv, printEvaluation } from "../display/evaluation.js";
import { printJson } from "../display/print.js";
import { evaluating } from "../predicting.js";
import { runTask } from "../run-task.js";
import { addTyped } from "../typed.js";

export function register(program: Program): void {
  addTyped(
    program,
    evaluating(
      new Command("evaluate")
        .description("count what a trained network gets wrong")
        .argument("<run>", "folder of a run, or a checkpoint's file")
        .argument("[pictures]", "folders of classes, or a prepared store; default what the run was trained on")
        .option("--all-classes", `list every class, not only the ${LISTED} with the most errors`)
        .option("--confusion", "print the confusion matrix too")
        .option("--calibration", "print the reliability curve too")
        .option("--csv <file>", "write a line for each picture there"),
    ).action(async (run, data, { batch: batchSize, json, csv, allClasses, confusion, calibration, ...options }) => {
      if (csv !== undefined) checkOutput(csv, "csv");
      const predictions: LabelledPrediction[] = [];
      const result = await runTask(({ signal, onEvent }) =>
        evaluate({
          ...options,
          run,
          data,
          batchSize,
          signal,
          onEvent: (event) => {
            if (csv !== undefined && event.kind === "prediction") predictions.push(event);
            onEvent(event);
          },
        }),
      );
      if (json) printJson(evaluationToJson(result));
      else printEvaluation(result, { allClasses, confusion, calibration });
      if (csv !== undefined) writeWhole(csv, predictionsToCsv(predictions, result));
    }),
  );
}
