import { Command } from "@commander-js/extra-typings";
import type { Command as Program } from "commander";
import { listRuns, type RunSummary } from "../../runs/list.js";
import { scoreCells } from "../display/comparison.js";
import { clock, printJson, printLine, printTable } from "../display/print.js";
import { addTyped } from "../typed.js";

export function register(program: Program): void {
  addTyped(
    program,
    new Command("runs")
      .description("list training runs: how far they are, how well they do")
      .argument("[folder]", "where they are", "runs")
      .option("--json", "print JSON")
      .action((folder, { json }) => {
        const runs = listRuns(folder);
        if (json) {
          printJson(runs);
          return;
        }
        if (runs.length === 0) printLine(`${folder}: no runs yet; alexnet train <pictures> begins one`);
        else printTable(["run", "epoch", "best top-1", "recall", "F1", "img/s", "changed", "state"], runs.map(row));
      }),
  );
}

function row(summary: RunSummary): string[] {
  const { run, epoch, epochs, imagesPerSecond, changed, state } = summary;
  return [
    run,
    `${epoch}/${epochs}`,
    ...scoreCells(summary),
    imagesPerSecond === undefined ? "" : imagesPerSecond.toFixed(1),
    age((Date.now() - Date.parse(changed)) / 1000),
    state,
  ];
}

function age(seconds: number): string {
  if (seconds < 48 * 3600) return `${clock(seconds)} ago`;
  return `${Math.floor(seconds / 86400)} days ago`;
}
