import { Command } from "@commander-js/extra-typings";
import type { Command as Program } from "commander";
import { z } from "zod";
import { chartFile } from "../../drawing/chart.js";
import { choiceShape } from "../../runs/settings.js";
import { writeWhole } from "../../system/files.js";
import { checkOutput } from "../../system/outputs.js";
import { findLearningRate, type Sweep, sweepSettings } from "../../training/find-rate.js";
import { sweepChart } from "../../training/rate-figure.js";
import { printCharts } from "../display/plot.js";
import { printJson, printLine } from "../display/print.js";
import { addSettings, positiveNumber, settingsGiven, wholeNumber } from "../flags.js";
import { runTask } from "../run-task.js";
import { addTyped } from "../typed.js";

const learning = ["network", "width", "recipe", "batchSize", "seed"] as const;
const machine = ["engine", "precision", "threads", "workers"] as const;

export function register(program: Program): void {
  const command = new Command("find-learning-rate")
    .description("try rising learning rates on fresh parameters and suggest one; writes no files")
    .argument("<pictures>", "folders of classes, or a prepared store");
  addSettings(command, learning, false);
  const rates = command
    .option("--from <rate>", "the first rate", positiveNumber(), 1e-6)
    .option("--to <rate>", "the last rate", positiveNumber(), 1)
    .option("--steps <count>", "steps from the first to the last", wholeNumber(10), 100);
  addSettings(rates, machine, false);
  addTyped(
    program,
    rates
      .option("--svg <file>", "save the curve as SVG")
      .option("--json", "print JSON")
      .action(async (data, { from, to, steps, svg, json }) => {
        if (svg !== undefined) checkOutput(svg, "svg");
        const given = settingsGiven(command.opts(), [...learning, ...machine]);
        const chosen = z.object(choiceShape).pick(sweepSettings).parse(given);
        const sweep = await runTask((task) => findLearningRate({ ...chosen, data, from, to, steps, ...task }));
        if (json) printJson(sweep);
        else print(sweep);
        if (svg !== undefined) writeWhole(svg, chartFile([sweepChart(sweep)]));
      }),
  );
}

function print(sweep: Sweep): void {
  const { points, suggested, network, recipe, batchSize } = sweep;
  printLine(`${network}, recipe ${recipe}, batches of ${batchSize}: ${points.length} steps`);
  printCharts([sweepChart(sweep)]);
  printLine(
    suggested === undefined
      ? "\nthe loss did not fall at any of these rates: try more --steps, or another --recipe"
      : `\nsuggested: --learning-rate ${suggested.toPrecision(2)}, a tenth of where the loss is lowest`,
  );
}
