import { Command } from "@commander-js/extra-typings";
import type { Command as Program } from "commander";
import { checkGradients } from "../../engine/host/check-gradients.js";
import { AlexnetError } from "../../errors.js";
import { resolveNetwork } from "../../network/networks.js";
import { scaleWidth } from "../../network/transform.js";
import { printLine } from "../display/print.js";
import { positiveNumber, wholeNumber } from "../flags.js";
import { addTyped } from "../typed.js";

export function register(program: Program): void {
  addTyped(
    program,
    new Command("check-gradients")
      .description("compare the reference engine's gradients with central differences of its loss")
      .helpGroup("Look around:")
      .option("--network <name>", "by name, or a .json file of layers", "paper")
      .option("--width <factor>", "multiplies the feature maps of every layer", positiveNumber(16), 0.1)
      .option("--seed <number>", "draws pictures, parameters and the values compared", wholeNumber(0), 1)
      .option("--samples <count>", "values compared in each tensor", wholeNumber(1), 4)
      .action(({ network, width, seed, samples }) => {
        const failed: string[] = [];
        print("tensor", "analytic", "numeric", "error");
        for (const check of checkGradients(scaleWidth(resolveNetwork(network), width), { seed, samples })) {
          const { name, worst, passed } = check;
          const numbers = [worst.analytic, worst.numeric, worst.error].map((value) => value.toExponential(2));
          print(name, ...numbers, passed ? "" : "failed");
          if (!passed) failed.push(name);
        }
        if (failed.length > 0)
          throw new AlexnetError(
            "engine",
            `${failed.join(", ")}: the gradients are not those of the loss, or 0 throughout; see the table`,
          );
        printLine(`every gradient agrees; shown is the worst of up to ${samples} values in each tensor`);
      }),
  );
}

function print(name: string, ...cells: readonly string[]): void {
  console.log((name.padEnd(14) + cells.map((text) => text.padStart(11)).join("")).trimEnd());
}
