import { Command } from "@commander-js/extra-typings";
import type { Command as Program } from "commander";
import { chartFile } from "../../drawing/chart.js";
import { differingSettings } from "../../runs/differences.js";
import { comparisonCharts } from "../../runs/figures.js";
import { readRun } from "../../runs/list.js";
import { writeWhole } from "../../system/files.js";
import { checkOutput } from "../../system/outputs.js";
import { printCharts } from "../display/plot.js";
import { percent, printJson, printTable } from "../display/print.js";
import { addTyped } from "../typed.js";

export function register(program: Program): void {
  addTyped(
    program,
    new Command("compare")
      .description("show runs side by side: settings that differ, curves together")
      .argument("<runs...>", "folders of runs")
      .option("--svg <file>", "save the curves as SVG")
      .option("--json", "print JSON")
      .action((paths, { svg, json }) => {
        if (svg !== undefined) checkOutput(svg, "svg");
        const runs = paths.map(readRun);
        const settings = differingSettings(runs.map(({ config }) => config));
        const charts = comparisonCharts(runs.map(({ summary, metrics }) => ({ name: summary.run, metrics })));
        if (svg !== undefined) writeWhole(svg, chartFile(charts));
        if (json) {
          printJson({ runs: runs.map(({ summary }) => summary), settings });
          return;
        }
        const rows: string[][] = [
          ["state", ...runs.map(({ summary }) => summary.state)],
          ["epoch", ...runs.map(({ summary }) => `${summary.epoch}/${summary.epochs}`)],
          [
            "best top-1",
            ...runs.map(({ summary: { bestError } }) => shareOf(bestError === undefined ? undefined : 1 - bestError)),
          ],
          ["its mean recall", ...runs.map(({ summary }) => shareOf(summary.bestMeanRecall))],
          ["its macro F1", ...runs.map(({ summary }) => shareOf(summary.bestMacroF1))],
          ...settings.map(({ path, values }) => [path, ...values.map(show)]),
        ];
        printTable(["", ...paths], rows);
        printCharts(charts);
      }),
  );
}

function shareOf(value: number | undefined): string {
  return value === undefined ? "" : percent(value);
}

function show(value: unknown): string {
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}
