import type { Evaluation, LabelledPrediction } from "../../evaluation/evaluate.js";
import { describeLeftOut } from "../../evaluation/match-classes.js";
import { wilsonInterval } from "../../scoring/interval.js";
import { isCorrect } from "../../scoring/prediction.js";
import { type ClassScores, errors, f1, neverRecognised, precisionAndRecall } from "../../scoring/scores.js";
import { csvLine } from "../../system/csv.js";
import { counted, enumerate } from "../../text.js";
import { percent, printable, printLine, printTable, thousands } from "./print.js";

/** Classes that are listed where not all of them are asked for. */
export const LISTED = 40;

export interface EvaluationParts {
  /** Every class, not only those with the most errors. */
  readonly allClasses?: boolean;
  readonly confusion?: boolean;
  readonly calibration?: boolean;
}

export function printEvaluation(result: Evaluation, { allClasses, confusion, calibration }: EvaluationParts): void {
  printErrors(result);
  for (const line of describeLeftOut(result.leftOut)) printLine(`${printable(line)}\n`);
  printClasses(result, allClasses === true);
  if (confusion) printConfusion(result);
  if (calibration) printCalibration(result);
}

/** What `--json` prints: scores with their errors and intervals, classes by name. */
export function evaluationToJson({ accuracy: _accuracy, top5: _top5, perClass, ...result }: Evaluation) {
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
    classes: perClass.map((row) => ({ ...withErrors(row), ...precisionAndRecall(row), f1: f1(row) })),
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

/** A line of CSV for each picture. */
export function predictionsToCsv(predictions: readonly LabelledPrediction[], { perClass, split }: Evaluation): string {
  const ranks = Math.min(5, perClass.length);
  const nameOf = (output: number | undefined): string => perClass[output ?? -1]?.name ?? "";
  const columns = Array.from({ length: ranks }, (_, i) => [`class_${i + 1}`, `probability_${i + 1}`]).flat();
  const lines = predictions.map((prediction) =>
    csvLine([
      split === "test" ? split : prediction.split,
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
  printLine(`${result.checkpoint} on ${result.data}`);
  printLine(`${thousands(samples)} pictures (${result.split}), ${seen}, ${imagesPerSecond.toFixed(1)} a second\n`);
  const rows = [row("top-1", top1Correct), ...(hasTop5(result) ? [row("top-5", top5Correct)] : [])];
  printTable(["", "error", "95 % interval", "right", "wrong"], rows);
  const { loss, meanRecall, macroF1 } = result;
  printLine(`\nmean recall ${percent(meanRecall)}, macro F1 ${percent(macroF1)}: each class counts the same`);
  printLine(`loss ${loss.toFixed(4)}, calibration error ${percent(calibration.expectedError)}`);
  printNeverRecognised(result);
  printLine("");
}

function printNeverRecognised({ perClass }: Evaluation): void {
  const missed = neverRecognised(perClass);
  if (missed.length === 0) return;
  const names = enumerate(missed.map(({ name, samples }) => printable(`${name} (0 of ${samples})`)));
  printLine(`${counted(missed.length, "class", "classes")} had no right answer: ${names}`);
}

/** Of five classes or fewer, all are among the first five. */
function hasTop5({ perClass }: Pick<Evaluation, "perClass">): boolean {
  return perClass.length > 5;
}

function printClasses({ perClass }: Evaluation, all: boolean): void {
  const seen = perClass.filter((row) => row.samples > 0);
  const worst = [...seen].sort((a, b) => errors(b).top1 - errors(a).top1);
  const listed = all || seen.length <= LISTED ? seen : worst.slice(0, LISTED);
  printTable(["class", "pictures", "top-1 error", "precision", "recall", "F1", "predicted as"], listed.map(classRow));
  if (listed.length < seen.length)
    printLine(`${thousands(seen.length - listed.length)} classes with fewer errors are left out; --all-classes`);
}

function classRow(row: ClassScores): string[] {
  const { top1 } = errors(row);
  const { precision, recall } = precisionAndRecall(row);
  const takenFor = row.takenFor === undefined ? "" : `${row.takenFor.name} (${row.takenFor.count})`;
  return [row.name, thousands(row.samples), ...[top1, precision, recall, f1(row)].map(percent), takenFor];
}

/** A row for each class, a column for what it was taken for, numbered as the rows. */
function printConfusion({ perClass: classes, confusion }: Evaluation): void {
  const counts = new Map(confusion.map(({ label, predicted, count }) => [label * classes.length + predicted, count]));
  printLine("\nConfusion: how many of each class were predicted as which\n");
  printTable(
    ["class", ...classes.map((_, i) => String(i + 1))],
    classes.map(({ name }, label) => [
      `${label + 1} ${name}`,
      ...classes.map((_, predicted) => String(counts.get(label * classes.length + predicted) ?? "·")),
    ]),
  );
}

function printCalibration({ calibration }: Evaluation): void {
  printLine("\nReliability: how often answers of that confidence are right\n");
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
