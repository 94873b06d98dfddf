import { Command } from "@commander-js/extra-typings";
import type { Command as Program } from "commander";
import { chartFile } from "../../drawing/chart.js";
import { differingSettings } from "../../runs/differences.js";
import { comparisonCharts } from "../../runs/figures.js";
import { readRun } from "../../runs/list.js";
import { writeWhole } from "../../system/files.js";
import { checkOutput } from "../../system/outputs.js";
import { scoreCells, settingRows, shortNames } from "../display/comparison.js";
import { printCharts } from "../display/plot.js";
import { printJson, printLine, printTable } from "../display/print.js";
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
        const names = shortNames(runs.map(({ summary }) => summary.run));
        const charts = comparisonCharts(runs.map(({ metrics }, i) => ({ name: names[i] ?? "", metrics })));
        if (svg !== undefined) writeWhole(svg, chartFile(charts));
        if (json) {
          printJson({ runs: runs.map(({ summary }) => summary), settings });
          return;
        }
        printTable(
          ["", "run", "epoch", "best top-1", "recall", "F1", "state"],
          runs.map(({ summary }, i) => [
            String(i + 1),
            names[i] ?? "",
            `${summary.epoch}/${summary.epochs}`,
            ...scoreCells(summary),
            summary.state,
          ]),
        );
        if (settings.length > 0) printLine("\nSettings that differ\n");
        if (settings.length > 0)
          printTable(
            ["", ...runs.map((_, i) => String(i + 1))],
            settingRows(settings).map(({ path, values }) => [path, ...values]),
          );
        printCharts(charts);
      }),
  );
}
