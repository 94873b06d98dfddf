#!/usr/bin/env node
import { type Argument, Command, CommanderError } from "commander";
import { packageVersion } from "../version.js";
import { endQuietlyWhenOutputCloses } from "./display/closed-output.js";
import { withOurWord } from "./other-words.js";
import { asOnDisk } from "./paths-on-disk.js";

type Load = () => Promise<{ register(program: Command): void }>;

/** By the headings of the help. A command's file is loaded when it is run, so that each starts at once. */
const groups: Readonly<Record<string, Readonly<Record<string, Load>>>> = {
  "Learn and use:": {
    demo: () => import("./commands/demo.js"),
    prepare: () => import("./commands/prepare.js"),
    train: () => import("./commands/train.js"),
    "find-learning-rate": () => import("./commands/find-learning-rate.js"),
    evaluate: () => import("./commands/evaluate.js"),
    classify: () => import("./commands/classify.js"),
  },
  "Understand:": {
    features: () => import("./commands/features.js"),
    similar: () => import("./commands/similar.js"),
    look: () => import("./commands/look.js"),
    report: () => import("./commands/report.js"),
    claims: () => import("./commands/catalogue/claims.js"),
  },
  "Training runs:": {
    runs: () => import("./commands/runs.js"),
    show: () => import("./commands/show.js"),
    compare: () => import("./commands/compare.js"),
    serve: () => import("./commands/serve.js"),
  },
  "Import and export:": {
    import: () => import("./commands/import.js"),
    export: () => import("./commands/export.js"),
  },
  "Look around:": {
    doctor: () => import("./commands/doctor.js"),
    info: () => import("./commands/info.js"),
    inspect: () => import("./commands/inspect.js"),
    verify: () => import("./commands/verify.js"),
    cache: () => import("./commands/cache.js"),
    networks: () => import("./commands/catalogue/networks.js"),
    recipes: () => import("./commands/catalogue/recipes.js"),
    bench: () => import("./commands/bench/bench.js"),
    "check-gradients": () => import("./commands/check-gradients.js"),
  },
};

const program = new Command("alexnet")
  .description("Trains the network of the AlexNet paper (2012) on your photos, shows how well it does, and uses it.")
  .version(packageVersion(), "-V, --version", "print the version")
  .helpOption("-h, --help", "print help")
  .configureHelp({ minWidthToWrap: 30, subcommandTerm: (command) => withArguments(command) })
  .showHelpAfterError("(--help lists the commands and options)");

/** What commander says on standard error before it stops. */
const said: string[] = [];

endQuietlyWhenOutputCloses();
try {
  await registerCommands(process.argv[2]);
  polish(program);
  await program.parseAsync(process.argv.map(asOnDisk));
} catch (error) {
  process.exitCode = await statusAfter(error);
}

/** What commander stops for, it has said itself; how failures are said is loaded only for those. */
async function statusAfter(error: unknown): Promise<number> {
  if (error instanceof CommanderError) {
    process.stderr.write(await wrapped(said.join("")));
    return error.exitCode === 0 ? 0 : 2;
  }
  const { reportFailure } = await import("./display/failures.js");
  return reportFailure(error);
}

/** The one command that is asked for; all of them where none is, for help and suggestions. */
async function registerCommands(wanted: string | undefined): Promise<void> {
  const asked = Object.values(groups).some((commands) => Object.hasOwn(commands, wanted ?? ""));
  if (wanted === "--version" || wanted === "-V") return;
  for (const [title, commands] of Object.entries(groups)) {
    program.commandsGroup(title);
    for (const [name, load] of Object.entries(commands))
      if (!asked || name === wanted) (await load()).register(program);
  }
}

/** Line by line, where a terminal is narrower; how that is done is loaded only for those. */
async function wrapped(text: string): Promise<string> {
  if (!process.stderr.isTTY || text === "") return text;
  const { columnsOf, wrapLine } = await import("./display/layout.js");
  return text
    .split("\n")
    .map((line) => wrapLine(line, columnsOf(process.stderr)))
    .join("\n");
}

/** "train [pictures]": that there are options goes without saying. */
function withArguments(command: Command): string {
  return [command.name(), ...command.registeredArguments.map(humanReadable)].join(" ");
}

function humanReadable(argument: Argument): string {
  const named = argument.name() + (argument.variadic ? "..." : "");
  return argument.required ? `<${named}>` : `[${named}]`;
}

/** Errors carry the program's name and are thrown, so that one place gives the exit status. */
function polish(command: Command): void {
  command.exitOverride().configureOutput({
    writeErr: (text) => void said.push(text),
    outputError: (text, write) => write(withOurWord(text.replace(/^error: /, "alexnet: "), command)),
  });
  command.commands.forEach(polish);
}
