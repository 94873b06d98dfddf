import { Command } from "@commander-js/extra-typings";
import type { Command as Program } from "commander";
import { precisions } from "../../engine/engine.js";
import { engineNames } from "../../engine/host/engines.js";
import { type Evaluation, evaluate, type LabelledPrediction } from "../../evaluation/evaluate.js";
import { wilsonInterval } from "../../scoring/interval.js";
import { isCorrect } from "../../scoring/prediction.js";
import { type ClassScores, errors, precisionAndRecall } from "../../scoring/scores.js";
import { csvLine } from "../../system/csv.js";
import { writeWhole } from "../../system/files.js";
import { PreparingDisplay } from "../display/preparing.js";
import { percent, printTable, thousands } from "../display/print.js";
import { Progress } from "../display/progress.js";
import { choice, ENGINE_HELP, PRECISION_HELP, VIEWS_HELP, viewCount, wholeNumber } from "../flags.js";
import { interruptible } from "../interruption.js";
import { addTyped } from "../typed.js";

export function register(program: Program): void {
  addTyped(
    program,
    new Command("evaluate")
      .description("count what a trained network gets wrong")
      .argument("<run>", "folder of a run, or a checkpoint's file")
      .argument("[pictures]", "folders of classes, or a prepared store; default what the run was trained on")
      .option("--views <count>", VIEWS_HELP, viewCount, 1)
      .option("--split <name>", "val, train or all", choice(["val", "train", "all"]), "val")
      .option("--checkpoint <name>", "best or last", choice(["best", "last"]), "best")
      .option("--batch <pictures>", "pictures a batch; no result depends on it", wholeNumber(1))
      .option("--engine <name>", ENGINE_HELP, choice(["auto", ...engineNames]), "auto")
      .option("--precision <name>", PRECISION_HELP, choice(precisions))
      .option("--threads <count>", "threads that compute", wholeNumber(1))
      .option("--workers <count>", "threads that load pictures", wholeNumber(1))
      .option("--all-classes", `list every class, not only the ${LISTED} with the most errors`)
      .option("--confusion", "print the confusion matrix too")
      .option("--calibration", "print the reliability curve too")
      .option("--csv <file>", "write a line for each picture there")
      .option("--json", "print JSON")
      .action(async (run, data, { batch: batchSize, json, csv, allClasses, confusion, calibration, ...options }) => {
        const preparing = new PreparingDisplay();
        const progress = new Progress("evaluating");
        const predictions: LabelledPrediction[] = [];
        const result = await interruptible((signal) =>
          evaluate({
            ...options,
            run,
            data,
            batchSize,
            signal,
            onEvent: (event) => {
              if (event.kind === "preparing") preparing.update(event);
              else if (event.kind === "prediction") predictions.push(event);
              else {
                preparing.stop();
                progress.update(event.done, event.total);
              }
            },
          }),
        ).finally(() => {
          preparing.stop();
          progress.stop();
        });
        if (csv !== undefined) writeWhole(csv, formatPredictions(predictions, result));
        if (json) {
          console.log(JSON.stringify(toJson(result), undefined, 2));
          return;
        }
        printErrors(result);
        printClasses(result, allClasses === true);
        if (confusion) printConfusion(result);
        if (calibration) printCalibration(result);
      }),
  );
}

const LISTED = 40;

/** Classes by name, and errors beside the counts. */
function toJson({ accuracy: _accuracy, top5: _top5, perClass, ...result }: Evaluation) {
  const withErrors = <T extends Parameters<typeof errors>[0]>(scores: T) => {
    const { top1, top5 } = errors(scores);
    return {
      ...scores,
      top1Error: top1,
      top1ErrorInterval: errorInterval(scores.samples, scores.top1Correct),
      top5Error: top5,
      top5ErrorInterval: errorInterval(scores.samples, scores.top5Correct),
    };
  };
  const nameOf = (output: number): string => perClass[output]?.name ?? "";
  return {
    ...withErrors(result),
    classes: perClass.map((row) => ({ ...withErrors(row), ...precisionAndRecall(row) })),
    confusion: result.confusion.map(({ label, predicted, count }) => ({
      class: nameOf(label),
      predicted: nameOf(predicted),
      count,
    })),
  };
}

/** With 95 % confidence. */
function errorInterval(samples: number, correct: number) {
  return wilsonInterval(samples - correct, samples);
}

function formatPredictions(predictions: readonly LabelledPrediction[], { perClass }: Evaluation): string {
  const ranks = Math.min(5, perClass.length);
  const nameOf = (output: number | undefined): string => perClass[output ?? -1]?.name ?? "";
  const columns = Array.from({ length: ranks }, (_, i) => [`class_${i + 1}`, `probability_${i + 1}`]).flat();
  const lines = predictions.map((prediction) =>
    csvLine([
      prediction.split,
      prediction.file,
      nameOf(prediction.label),
      isCorrect(prediction) ? 1 : 0,
      prediction.labelProbability,
      ...Array.from({ length: ranks }, (_, i) => [
        nameOf(prediction.best[i]),
        prediction.probabilities[i] ?? "",
      ]).flat(),
    ]),
  );
  return csvLine(["split", "file", "class", "correct", "class_probability", ...columns]) + lines.join("");
}

function printErrors(result: Evaluation): void {
  const { samples, top1Correct, top5Correct, views, calibration, imagesPerSecond } = result;
  const row = (name: string, correct: number): string[] => {
    const { low, high } = errorInterval(samples, correct);
    const share = samples === 0 ? 0 : (samples - correct) / samples;
    const interval = `${(100 * low).toFixed(1)} to ${percent(high)}`;
    return [name, percent(share), interval, thousands(correct), thousands(samples - correct)];
  };
  const seen = views === 1 ? "centre view" : `${views} views`;
  console.log(`${result.checkpoint} on ${result.data}`);
  console.log(`${thousands(samples)} pictures (${result.split}), ${seen}, ${imagesPerSecond.toFixed(1)} a second\n`);
  printTable(["", "error", "95 % interval", "right", "wrong"], [row("top-1", top1Correct), row("top-5", top5Correct)]);
  console.log(`\nloss ${result.loss.toFixed(4)}, calibration error ${percent(calibration.expectedError)}\n`);
}

function printClasses({ perClass }: Evaluation, all: boolean): void {
  const seen = perClass.filter((row) => row.samples > 0);
  const worst = [...seen].sort((a, b) => errors(b).top1 - errors(a).top1);
  const listed = all || seen.length <= LISTED ? seen : worst.slice(0, LISTED);
  printTable(
    ["class", "pictures", "top-1 error", "top-5 error", "precision", "recall", "taken for"],
    listed.map(classRow),
  );
  if (listed.length < seen.length)
    console.log(`${thousands(seen.length - listed.length)} classes with fewer errors are left out; --all-classes`);
}

function classRow(row: ClassScores): string[] {
  const { top1, top5 } = errors(row);
  const { precision, recall } = precisionAndRecall(row);
  const takenFor = row.takenFor === undefined ? "" : `${row.takenFor.name} (${row.takenFor.count})`;
  return [row.name, thousands(row.samples), ...[top1, top5, precision, recall].map(percent), takenFor];
}

/** A row for each class, a column for what it was taken for, numbered as the rows. */
function printConfusion({ perClass: classes, confusion }: Evaluation): void {
  const counts = new Map(confusion.map(({ label, predicted, count }) => [label * classes.length + predicted, count]));
  console.log("\nConfusion: of each class, how many were taken for which\n");
  printTable(
    ["class", ...classes.map((_, i) => String(i + 1))],
    classes.map(({ name }, label) => [
      `${label + 1} ${name}`,
      ...classes.map((_, predicted) => String(counts.get(label * classes.length + predicted) ?? "·")),
    ]),
  );
}

function printCalibration({ calibration }: Evaluation): void {
  console.log("\nReliability: how often answers of that confidence are right\n");
  printTable(
    ["confidence", "pictures", "mean confidence", "right"],
    calibration.bins
      .filter(({ count }) => count > 0)
      .map(({ low, high, count, confidence, accuracy }) => [
        `${(100 * low).toFixed(0)} to ${(100 * high).toFixed(0)} %`,
        thousands(count),
        percent(confidence),
        percent(accuracy),
      ]),
  );
}
