import { Command } from "@commander-js/extra-typings";
import type { Command as Program } from "commander";
import { doctor } from "../../doctor/doctor.js";
import { describeProblem } from "../display/failures.js";
import { columnsOf } from "../display/layout.js";
import { printJson, printTable } from "../display/print.js";
import { addTyped } from "../typed.js";

export function register(program: Program): void {
  addTyped(
    program,
    new Command("doctor")
      .description("find out whether training works on this machine, and what is missing; exit status 0 if it does")
      .option("--install", "install oneDNN where it is missing")
      .option("--json", "print JSON")
      .action(async ({ install, json }) => {
        const diagnosis = await doctor({ install });
        const { canTrain, findings } = diagnosis;
        if (!canTrain) process.exitCode = 1;
        if (json) {
          printJson(diagnosis);
          return;
        }
        printTable(
          ["", "part", "found"],
          findings.map(({ state, part, found }) => [
            state,
            part,
            state === "failed" ? (/^[^;\n]*/.exec(found)?.[0] ?? "") : found,
          ]),
        );
        console.log(canTrain ? "\nTraining works here." : "\nTraining does not work here:");
        for (const { part, state, found, hints } of findings)
          if (state === "failed")
            console.log(describeProblem({ problem: `${part}: ${found}`, hints }, "", columnsOf(process.stdout)));
      }),
  );
}
