import { Command } from "@commander-js/extra-typings";
import type { Command as Program } from "commander";
import { AlexnetError } from "../../errors.js";
import { prepare } from "../../store/preparing/prepare.js";
import type { PrepareSummary } from "../../store/preparing/summary.js";
import { byteSize, clock, thousands } from "../../text.js";
import { quoteForShell } from "../display/hints.js";
import { printJson, printLine, printTable } from "../display/print.js";
import { LISTED, printClasses, printFindings } from "../display/store-summary.js";
import { choice, fraction, share, wholeNumber } from "../flags.js";
import { runTask } from "../run-task.js";
import { addTyped } from "../typed.js";

export function register(program: Program): void {
  addTyped(
    program,
    new Command("prepare")
      .description(
        "make a store of a picture set: square pictures of one size, classes and statistics, ready for training",
      )
      .argument(
        "<pictures>",
        "a folder of train/<class>/ and val/<class>/, or of <class>/; of ILSVRC's archives; WebDataset shards, also as train-{000..146}.tar; Parquet files",
      )
      .requiredOption("--out <folder>", "the store; an unfinished one is resumed")
      .option("--size <pixels>", "height and width of the prepared pictures", wholeNumber(8, 1024), 256)
      .option(
        "--encoding <name>",
        "raw (197 kB a picture), jpeg (26 kB) or auto",
        choice(["auto", "raw", "jpeg"]),
        "auto",
      )
      .option(
        "--val-fraction <share>",
        "of each class, for validation, where the set has no validation pictures",
        fraction,
        0.1,
      )
      .option("--seed <number>", "decides which", wholeNumber(0), 1)
      .option("--workers <count>", "decoding threads; one more than cores by default", wholeNumber(1))
      .option(
        "--max-bad <share>",
        "fail beyond this share of unreadable pictures, such as 5%; default 1%, if more than five",
        share,
      )
      .option("--allow-missing-classes", "go on when training and validation have different classes")
      .option("--allow-svg", "read SVG, which can refer to other files")
      .option("--image-column <name>", "of Parquet files: where the pictures are; default image")
      .option("--label-column <name>", "of Parquet files: where the classes are; default label")
      .option("--json", "print the summary as JSON")
      .allowExcessArguments()
      .action(async (source, { json, ...options }, { args }) => {
        if (args.length > 1) throw new AlexnetError("invalid-option", severalSets(args));
        const start = performance.now();
        const summary = await runTask(({ signal, onEvent }) => prepare({ ...options, source, signal, onEvent }));
        const cost = {
          seconds: (performance.now() - start) / 1000,
          peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
        };
        if (json) printJson({ ...summary, ...cost });
        else printSummary(summary, cost);
      }),
  );
}

/** A shell takes braces and stars apart before we see them. */
function severalSets(given: readonly string[]): string {
  return (
    `prepare takes one set, here are ${given.length} (${given[0]}, ${given[1]}${given.length > 2 ? ", …" : ""}); ` +
    "put a pattern into quotes, such as 'train-{000..146}.tar', or name the folder"
  );
}

interface Cost {
  readonly seconds: number;
  readonly peakMemoryBytes: number;
}

function printSummary(summary: PrepareSummary, { seconds, peakMemoryBytes }: Cost): void {
  const { path, info, classes, splits, reused } = summary;
  const cost = `in ${clock(seconds)}, with ${byteSize(peakMemoryBytes)} of memory at most`;
  printLine(`${path}: ${reused ? "already prepared, nothing to do" : `prepared ${cost}`}`);
  printLine(`${info.encoding}, ${thousands(classes.length)} classes, decoded by ${info.decoder}`);
  printTable(
    ["split", "pictures", "smallest class", "largest class"],
    splits.map(({ split, pictures, smallest, largest }) => [
      split,
      thousands(pictures),
      smallest === undefined ? "" : `${smallest.name} ${thousands(smallest.pictures)}`,
      largest === undefined ? "" : `${largest.name} ${thousands(largest.pictures)}`,
    ]),
  );
  printLine("");
  printClasses(info, classes, splits, LISTED);
  if (classes.length > LISTED) printLine(`(alexnet inspect ${quoteForShell(path)} --all-classes lists them)`);
  printFindings(info, path);
}
