import { Command } from "@commander-js/extra-typings";
import type { Command as Program } from "commander";
import { engineNames } from "../engine/engine.js";
import { type Evaluation, evaluate } from "../evaluation/evaluate.js";
import { type ClassScores, errors } from "../evaluation/scores.js";
import { interruptible } from "./interruption.js";
import { choice, viewSet, wholeNumber } from "./options.js";
import { PreparingDisplay } from "./preparing.js";
import { percent, printTable, thousands } from "./print.js";
import { Progress } from "./progress.js";
import { addTyped } from "./typed.js";

export function register(program: Program): void {
  addTyped(
    program,
    new Command("evaluate")
      .description("count what a trained network gets wrong")
      .argument("<run>", "folder of a run, or a checkpoint's file")
      .argument("[pictures]", "folders of classes, or a prepared store; default what the run was trained on")
      .option("--views <count>", "1, the centre; or 10, averaged: corners, centre and their mirrors", viewSet, "centre")
      .option("--split <name>", "val, train or all", choice(["val", "train", "all"]), "val")
      .option("--checkpoint <name>", "best or last", choice(["best", "last"]), "best")
      .option("--batch <pictures>", "pictures a batch", wholeNumber(1), 32)
      .option("--engine <name>", `auto, ${engineNames.join(" or ")}`, choice(["auto", ...engineNames]), "auto")
      .option("--threads <count>", "threads that compute", wholeNumber(1))
      .option("--workers <count>", "threads that load pictures", wholeNumber(1))
      .option("--all-classes", `list every class, not only the ${LISTED} with the most errors`)
      .option("--json", "print JSON")
      .action(async (run, data, { batch: batchSize, allClasses = false, json, ...options }) => {
        const preparing = new PreparingDisplay();
        const progress = new Progress("evaluating");
        const result = await interruptible((signal) =>
          evaluate({
            ...options,
            run,
            data,
            batchSize,
            signal,
            onPreparing: preparing.update,
            onProgress: (done, total) => {
              preparing.stop();
              progress.update(done, total);
            },
          }),
        ).finally(() => {
          preparing.stop();
          progress.stop();
        });
        if (json) console.log(JSON.stringify(toJson(result), undefined, 2));
        else print(result, allClasses);
      }),
  );
}

const LISTED = 40;

function toJson({ classes, ...result }: Evaluation) {
  const withErrors = <T extends Parameters<typeof errors>[0]>(scores: T) => {
    const { top1, top5 } = errors(scores);
    return { ...scores, top1Error: top1, top5Error: top5 };
  };
  return { ...withErrors(result), classes: classes.map(withErrors) };
}

function print(result: Evaluation, allClasses: boolean): void {
  const { top1, top5 } = errors(result);
  const { samples, top1Correct, top5Correct, classes, views } = result;
  console.log(`${result.checkpoint} on ${result.data}`);
  console.log(`${thousands(samples)} pictures (${result.split}), ${views === "ten" ? "ten views" : "centre view"}\n`);
  printTable(
    ["", "error", "right", "wrong"],
    [
      ["top-1", percent(top1), thousands(top1Correct), thousands(samples - top1Correct)],
      ["top-5", percent(top5), thousands(top5Correct), thousands(samples - top5Correct)],
    ],
  );
  const seen = classes.filter((row) => row.samples > 0);
  const worst = [...seen].sort((a, b) => errors(b).top1 - errors(a).top1);
  const listed = allClasses || seen.length <= LISTED ? seen : worst.slice(0, LISTED);
  console.log("");
  printTable(["class", "pictures", "top-1 error", "top-5 error", "taken for"], listed.map(classRow));
  if (listed.length < seen.length)
    console.log(`${thousands(seen.length - listed.length)} classes with fewer errors are left out; --all-classes`);
}

function classRow(row: ClassScores): string[] {
  const { top1, top5 } = errors(row);
  const takenFor = row.takenFor === undefined ? "" : `${row.takenFor.name} (${row.takenFor.count})`;
  return [row.name, thousands(row.samples), percent(top1), percent(top5), takenFor];
}
