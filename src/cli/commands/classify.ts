import { Command } from "@commander-js/extra-typings";
import type { Command as Program } from "commander";
import { AlexnetError } from "../../errors.js";
import { classify } from "../../evaluation/classify.js";
import { type ClassificationFormat, classifyToFile } from "../../evaluation/classify-to-file.js";
import { classificationOutput } from "../display/classifications.js";
import { thousands } from "../display/print.js";
import { VIEWS_HELP, viewCount, wholeNumber } from "../flags.js";
import { predicting } from "../predicting.js";
import { runTask } from "../run-task.js";
import { addTyped } from "../typed.js";

export function register(program: Program): void {
  addTyped(
    program,
    predicting(
      new Command("classify")
        .description("classify pictures")
        .argument("<run>", "folder of a run, or a checkpoint's file")
        .argument("<pictures...>", "picture files, or folders of them")
        .option("--top <count>", "how many classes", wholeNumber(1), 5)
        .option("--views <count>", VIEWS_HELP, viewCount, 1)
        .option("--jsonl", "print a line of JSON for each file")
        .option("--csv", "print a line of CSV for each file: file,error,class_1,probability_1,…")
        .option("--out <file.csv|file.jsonl>", "write there instead; interrupted, the same command goes on"),
    ).action(async (run, pictures, { json, jsonl, csv, out, ...options }) => {
      const lines = csv ? "csv" : jsonl ? "jsonl" : undefined;
      if (out !== undefined) {
        const format = formatOf(out, lines, json);
        const summary = await runTask((task) =>
          classifyToFile({
            ...options,
            run,
            pictures,
            out,
            format,
            ...task,
          }),
        );
        const { files, unreadable, before, imagesPerSecond } = summary;
        const went = before > 0 ? `, ${thousands(before)} of them earlier` : "";
        console.error(
          `${out}: ${thousands(files)} files${went}, ${thousands(unreadable)} unreadable; ${imagesPerSecond.toFixed(1)}/s`,
        );
        return;
      }
      const output = classificationOutput(json ? "json" : lines, options.top);
      await runTask(async ({ signal, onEvent }) => {
        for await (const result of classify({ ...options, run, pictures, signal, onEvent })) {
          if ("error" in result) onEvent({ kind: "unreadable", ...result });
          output.add(result);
        }
      });
      output.end();
    }),
  );
}

function formatOf(out: string, lines: ClassificationFormat | undefined, json: true | undefined): ClassificationFormat {
  if (json)
    throw new AlexnetError("invalid-option", "--out writes lines as it goes; give --csv or --jsonl, not --json");
  if (lines !== undefined) return lines;
  if (out.endsWith(".csv")) return "csv";
  if (/\.(jsonl|ndjson)$/.test(out)) return "jsonl";
  throw new AlexnetError(
    "invalid-option",
    `--out ${out}: ends neither in .csv nor in .jsonl; say which with --csv or --jsonl`,
  );
}
