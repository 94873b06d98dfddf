import { Command } from "@commander-js/extra-typings";
import type { Command as Program } from "commander";
import { checkGradients } from "../engine/reference/check-gradients.js";
import { AlexnetError } from "../errors.js";
import { networkByName } from "../network/networks.js";
import { scaleWidth } from "../network/transform.js";
import { positiveNumber, wholeNumber } from "./options.js";
import { addTyped } from "./typed.js";

export function register(program: Program): void {
  addTyped(
    program,
    new Command("check-gradients")
      .description("compare the reference engine's gradients with central differences of its loss")
      .helpGroup("Look around:")
      .option("--network <name>", "the network", "paper")
      .option("--width <factor>", "times as many maps in every layer", positiveNumber(16), 0.1)
      .option("--seed <number>", "draws pictures, parameters and the values compared", wholeNumber(0), 1)
      .option("--samples <count>", "values compared in each tensor", wholeNumber(1), 4)
      .action(({ network, width, seed, samples }) => {
        const failed: string[] = [];
        console.log(row("tensor", "analytic", "numeric", "error"));
        for (const { name, worst, passed } of checkGradients(scaleWidth(networkByName(network), width), {
          seed,
          samples,
        })) {
          const { analytic, numeric, error } = worst;
          console.log(
            row(name, ...[analytic, numeric, error].map((value) => value.toExponential(2))) + (passed ? "" : "  wrong"),
          );
          if (!passed) failed.push(name);
        }
        if (failed.length > 0)
          throw new AlexnetError(
            "engine",
            `${failed.join(", ")}: the gradient is not the slope of the loss; see the table`,
          );
        console.log(`every gradient agrees; shown is the worst of ${samples} values in each tensor`);
      }),
  );
}

function row(name: string, ...numbers: readonly string[]): string {
  return name.padEnd(14) + numbers.map((text) => text.padStart(11)).join("");
}
