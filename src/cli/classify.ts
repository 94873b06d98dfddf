import { Command } from "@commander-js/extra-typings";
import type { Command as Program } from "commander";
import { engineNames } from "../engine/engine.js";
import { type Classification, classify, type Prediction } from "../evaluation/classify.js";
import { interruptible } from "./interruption.js";
import { choice, viewSet, wholeNumber } from "./options.js";
import { percent } from "./print.js";
import { addTyped } from "./typed.js";

export function register(program: Program): void {
  addTyped(
    program,
    new Command("classify")
      .description("say what is on pictures")
      .argument("<run>", "folder of a run, or a checkpoint's file")
      .argument("<pictures...>", "picture files, or folders of them")
      .option("--top <count>", "how many classes", wholeNumber(1), 5)
      .option("--views <count>", "1, the centre; or 10, averaged: corners, centre and their mirrors", viewSet, "centre")
      .option("--checkpoint <name>", "best or last", choice(["best", "last"]), "best")
      .option("--engine <name>", `auto, ${engineNames.join(" or ")}`, choice(["auto", ...engineNames]), "auto")
      .option("--threads <count>", "threads that compute", wholeNumber(1))
      .option("--json", "print JSON")
      .option("--csv", "print a line of CSV for each file and class: file,rank,class,probability")
      .action(async (run, pictures, { json, csv, ...options }) => {
        const output = json ? new JsonOutput() : csv ? new CsvOutput() : new BarOutput();
        await interruptible(async (signal) => {
          for await (const result of classify({ ...options, run, pictures, signal })) {
            if ("error" in result) {
              process.stderr.write(`alexnet: ${result.error}\n`);
              process.exitCode = 1;
            }
            output.add(result);
          }
        });
        output.end();
      }),
  );
}

interface Output {
  add(result: Classification): void;
  end(): void;
}

const BAR_WIDTH = 30;
const eighths = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

class BarOutput implements Output {
  add(result: Classification): void {
    if ("error" in result) return;
    const width = Math.max(...result.predictions.map((prediction) => prediction.class.length));
    console.log(result.file);
    for (const prediction of result.predictions)
      console.log(
        `  ${prediction.class.padEnd(width)}  ${bar(prediction)}  ${percent(prediction.probability).padStart(7)}`,
      );
  }

  end(): void {}
}

function bar({ probability }: Prediction): string {
  const length = Math.round(probability * BAR_WIDTH * 8);
  return ("█".repeat(Math.floor(length / 8)) + eighths[length % 8]).padEnd(BAR_WIDTH);
}

class JsonOutput implements Output {
  readonly #results: Classification[] = [];

  add(result: Classification): void {
    this.#results.push(result);
  }

  end(): void {
    console.log(JSON.stringify(this.#results, undefined, 2));
  }
}

class CsvOutput implements Output {
  constructor() {
    console.log("file,rank,class,probability");
  }

  add(result: Classification): void {
    if ("error" in result) return;
    for (const [i, prediction] of result.predictions.entries())
      console.log([result.file, String(i + 1), prediction.class, String(prediction.probability)].map(quoted).join(","));
  }

  end(): void {}
}

/** As RFC 4180 has it. */
function quoted(field: string): string {
  return /[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}
