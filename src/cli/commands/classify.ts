import { Command } from "@commander-js/extra-typings";
import type { Command as Program } from "commander";
import { precisions } from "../../engine/engine.js";
import { engineNames } from "../../engine/host/engines.js";
import { AlexnetError } from "../../errors.js";
import { type Classification, classify, type Prediction } from "../../evaluation/classify.js";
import {
  type ClassificationFormat,
  type ClassifyToFileOptions,
  classificationFormats,
  classifyToFile,
} from "../../evaluation/classify-to-file.js";
import { reportUnreadable } from "../display/failures.js";
import { percent, thousands } from "../display/print.js";
import { Progress } from "../display/progress.js";
import { choice, ENGINE_HELP, PRECISION_HELP, VIEWS_HELP, viewCount, wholeNumber } from "../flags.js";
import { interruptible } from "../interruption.js";
import { addTyped } from "../typed.js";

export function register(program: Program): void {
  addTyped(
    program,
    new Command("classify")
      .description("say what is on pictures")
      .argument("<run>", "folder of a run, or a checkpoint's file")
      .argument("<pictures...>", "picture files, or folders of them")
      .option("--top <count>", "how many classes", wholeNumber(1), 5)
      .option("--views <count>", VIEWS_HELP, viewCount, 1)
      .option("--checkpoint <name>", "best or last", choice(["best", "last"]), "best")
      .option("--engine <name>", ENGINE_HELP, choice(["auto", ...engineNames]), "auto")
      .option("--precision <name>", PRECISION_HELP, choice(precisions))
      .option("--threads <count>", "threads that compute", wholeNumber(1))
      .option("--workers <count>", "threads that decode", wholeNumber(1))
      .option("--json", "print JSON")
      .option("--jsonl", "print a line of JSON for each file")
      .option("--csv", "print a line of CSV for each file: file,error,class_1,probability_1,…")
      .option("--out <file.csv|file.jsonl>", "write there instead; interrupted, the same command goes on")
      .action(async (run, pictures, { json, jsonl, csv, out, ...options }) => {
        if (out !== undefined) {
          if (json)
            throw new AlexnetError(
              "invalid-option",
              "--out writes lines as it goes; give --csv or --jsonl, not --json",
            );
          const format = formatOf(out, csv, jsonl);
          await classifyInto({ ...options, run, pictures, out, format });
          return;
        }
        const { top } = options;
        const output = json
          ? new JsonOutput()
          : jsonl || csv
            ? new LineOutput(csv ? "csv" : "jsonl", top)
            : new BarOutput();
        await interruptible(async (signal) => {
          for await (const result of classify({ ...options, run, pictures, signal })) {
            if ("error" in result) reportUnreadable(result.error);
            output.add(result);
          }
        });
        output.end();
      }),
  );
}

function formatOf(out: string, csv: true | undefined, jsonl: true | undefined): ClassificationFormat {
  if (csv || jsonl) return csv ? "csv" : "jsonl";
  if (out.endsWith(".csv")) return "csv";
  if (/\.(jsonl|ndjson)$/.test(out)) return "jsonl";
  throw new AlexnetError(
    "invalid-option",
    `--out ${out}: ends neither in .csv nor in .jsonl; say which with --csv or --jsonl`,
  );
}

async function classifyInto(options: Omit<ClassifyToFileOptions, "signal">): Promise<void> {
  const progress = new Progress("classifying");
  const summary = await interruptible((signal) =>
    classifyToFile({
      ...options,
      signal,
      onEvent: (event) => {
        if (event.kind === "unreadable") reportUnreadable(event.error);
        else progress.update(event.done, event.total);
      },
    }),
  ).finally(progress.stop);
  const { out, files, unreadable, before, imagesPerSecond } = summary;
  const went = before > 0 ? `, ${thousands(before)} of them earlier` : "";
  console.error(
    `${out}: ${thousands(files)} files${went}, ${thousands(unreadable)} unreadable; ${imagesPerSecond.toFixed(1)}/s`,
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

class LineOutput implements Output {
  constructor(
    readonly format: ClassificationFormat,
    readonly top: number,
  ) {
    process.stdout.write(classificationFormats[format].head(top));
  }

  add(result: Classification): void {
    process.stdout.write(classificationFormats[this.format].line(result, this.top));
  }

  end(): void {}
}
