import { Command } from "@commander-js/extra-typings";
import type { Command as Program } from "commander";
import { AlexnetError } from "../../errors.js";
import { verifyStore } from "../../store/checking/verify.js";
import { prepareAgain } from "../../store/database.js";
import { openStore } from "../../store/store.js";
import { thousands } from "../../text.js";
import { printLine } from "../display/print.js";
import { wholeNumber } from "../flags.js";
import { runTask } from "../run-task.js";
import { addTyped } from "../typed.js";

const LISTED = 20;

export function register(program: Program): void {
  addTyped(
    program,
    new Command("verify")
      .description("decode every picture of a prepared store, and check counts and statistics")
      .argument("<store>", "a folder that prepare made")
      .option("--workers <count>", "decoding threads; all cores by default", wholeNumber(1))
      .action(async (path, options) => {
        const store = await openStore(path);
        try {
          const problems = await runTask(({ signal, onEvent }) =>
            verifyStore(store, options, { signal, report: onEvent }),
          );
          for (const problem of problems.slice(0, LISTED)) printLine(problem);
          if (problems.length > LISTED) printLine(`and ${thousands(problems.length - LISTED)} more`);
          if (problems.length > 0)
            throw new AlexnetError("damaged-file", `${path}: damaged, see above`, { hint: prepareAgain(path) });
          const { train, val } = store.info.counts;
          printLine(`${path}: whole; ${thousands(train)} training and ${thousands(val)} validation pictures`);
        } finally {
          await store.close();
        }
      }),
  );
}
