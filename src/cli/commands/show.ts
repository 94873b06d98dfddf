import { join } from "node:path";
import { Command } from "@commander-js/extra-typings";
import type { Command as Program } from "commander";
import { chartFile } from "../../drawing/chart.js";
import { describeRates } from "../../recipes/policy.js";
import { runCharts } from "../../runs/figures.js";
import { type RunRecords, type RunSummary, readRun } from "../../runs/list.js";
import { writeWhole } from "../../system/files.js";
import { checkOutput } from "../../system/outputs.js";
import { printCharts } from "../display/plot.js";
import { percent, printJson, printLine, thousands } from "../display/print.js";
import { addTyped } from "../typed.js";

export function register(program: Program): void {
  addTyped(
    program,
    new Command("show")
      .description("show a run: its settings, its curves here and as curves.svg in its folder")
      .argument("<run>", "folder of a run")
      .option("--svg <file>", "save the curves there instead")
      .option("--json", "print JSON, and save nothing")
      .action((path, { svg = join(path, "curves.svg"), json }) => {
        const run = readRun(path);
        if (!json) checkOutput(svg, "svg");
        if (json) {
          printJson(run);
          return;
        }
        for (const line of describe(run)) printLine(line);
        const charts = runCharts(run.metrics);
        printCharts(charts);
        writeWhole(svg, chartFile(charts));
        console.log(`\ncurves: ${svg}`);
      }),
  );
}

function bestOf({ bestError, bestMeanRecall, bestMacroF1 }: RunSummary): readonly string[] {
  if (bestError === undefined) return [];
  const best = `best top-1 ${percent(1 - bestError)}`;
  return bestMeanRecall === undefined || bestMacroF1 === undefined
    ? [best]
    : [best, `mean recall ${percent(bestMeanRecall)}`, `F1 ${percent(bestMacroF1)}`];
}

function describe({ summary, config, metrics }: RunRecords): readonly string[] {
  const { data, network, width, recipe } = config;
  const silent = metrics
    .flatMap((row) => (row.kind === "epoch" ? [row.layers] : []))
    .at(-1)
    ?.filter((layer) => (layer.silent ?? 0) > 0)
    .map((layer) => `${layer.layer} ${percent(layer.silent ?? 0)}`);
  return [
    `${summary.run}: ${summary.state}`,
    [`epoch ${summary.epoch} of ${summary.epochs}`, `${thousands(summary.steps)} steps`, ...bestOf(summary)].join(", "),
    `pictures  ${data.source}: ${thousands(data.train)} for training, ${thousands(data.val)} for validation, ${thousands(data.classes)} classes`,
    `network   ${network.name}${width === 1 ? "" : `, width ${width}`}, input ${network.input.size}x${network.input.size}`,
    `recipe    ${recipe.name}: batches of ${recipe.batchSize}, learning rate ${describeRates(recipe)}`,
    `          momentum ${recipe.momentum}, weight decay ${recipe.weightDecay}, colour noise ${recipe.colourDeviation}, seed ${config.seed}`,
    ...(silent === undefined || silent.length === 0
      ? []
      : [`dead      units that were 0 for a whole batch: ${silent.join(", ")}`]),
  ];
}
