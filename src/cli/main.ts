#!/usr/bin/env node
import { Command } from "commander";
import { packageVersion } from "../version.js";
import { register as registerBench } from "./bench.js";
import { register as registerCheckGradients } from "./check-gradients.js";
import { register as registerClassify } from "./classify.js";
import { register as registerDemo } from "./demo.js";
import { register as registerEvaluate } from "./evaluate.js";
import { register as registerExport } from "./export.js";
import { endQuietlyWhenOutputCloses, reportFailure } from "./failures.js";
import { register as registerImport } from "./import.js";
import { register as registerInfo } from "./info.js";
import { register as registerNetworks } from "./networks.js";
import { register as registerPrepare } from "./prepare.js";
import { register as registerTrain } from "./train.js";

const groups = {
  "Learn and use:": [registerDemo, registerPrepare, registerTrain, registerEvaluate, registerClassify],
  "Hand on:": [registerImport, registerExport],
  "Look around:": [registerInfo, registerNetworks, registerBench, registerCheckGradients],
};

const program = new Command("alexnet")
  .description("Trains the network of the AlexNet paper (2012) on your photos, shows how well it does, and uses it.")
  .version(packageVersion(), "-V, --version", "print the version")
  .helpOption("-h, --help", "print help")
  .showHelpAfterError("(--help shows what there is)");
for (const [title, commands] of Object.entries(groups)) {
  program.commandsGroup(title);
  for (const register of commands) register(program);
}
polish(program);

endQuietlyWhenOutputCloses();
try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = reportFailure(error);
}

/** Errors carry the program's name and are thrown, so that one place gives the exit status. */
function polish(command: Command): void {
  command
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, "alexnet: ")) });
  command.commands.forEach(polish);
}
