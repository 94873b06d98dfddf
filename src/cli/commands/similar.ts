import { extname } from "node:path";
import { Command } from "@commander-js/extra-typings";
import type { Command as Program } from "commander";
import { AlexnetError } from "../../errors.js";
import { findSimilar, type SimilarResult } from "../../evaluation/similar.js";
import { drawSimilar } from "../../evaluation/similar-sheet.js";
import { writeWhole } from "../../system/files.js";
import { checkOutput } from "../../system/outputs.js";
import { counted } from "../../text.js";
import { printJson } from "../display/print.js";
import { wholeNumber } from "../flags.js";
import { predicting } from "../predicting.js";
import { runTask } from "../run-task.js";
import { addTyped } from "../typed.js";

export function register(program: Program): void {
  addTyped(
    program,
    predicting(
      new Command("similar")
        .description("find the pictures of a set that look most like others to the network")
        .argument("<run>", "folder of a run, or a checkpoint's file")
        .argument("<set>", "folder of pictures to search, or a .safetensors file of `alexnet features`")
        .argument("<pictures...>", "pictures to search for, or folders of them")
        .option("--count <number>", "nearest pictures of each", wholeNumber(1), 6)
        .option("--sheet <file.png>", "draw a contact sheet: each picture, and beside it those like it")
        .option("--layer <name>", "compare what this layer makes of them; default the last hidden one (relu7)")
        .option("--index <file.safetensors>", "keep the set's features there; default in the run's folder"),
    ).action(async (run, set, queries, { json, sheet, ...options }) => {
      if (sheet !== undefined) checkSheet(sheet);
      const result = await runTask(async (task) => {
        const found = await findSimilar({ ...options, run, set, queries, ...task });
        if (sheet !== undefined)
          writeWhole(sheet, [await drawSimilar(found, { signal: task.signal, report: task.onEvent })]);
        return found;
      });
      if (json) printJson(result);
      else print(result);
      if (sheet !== undefined) console.error(`${sheet}: ${counted(result.queries.length, "row")}`);
    }),
  );
}

function checkSheet(path: string): void {
  const extension = extname(path);
  if (extension !== "" && extension.toLowerCase() !== ".png")
    throw new AlexnetError("invalid-option", `${path}: a sheet is a PNG, whatever its name says`, {
      hint: { advice: "give a name that ends in .png", option: "sheet" },
    });
  checkOutput(path, "sheet");
}

function print({ index, pictures, reused, layer, queries, searchSeconds }: SimilarResult): void {
  const state = reused ? "there already" : "made";
  console.error(`${index}: ${counted(pictures, "picture")}, ${layer}, ${state}; searched in ${seconds(searchSeconds)}`);
  for (const { file, neighbours } of queries) {
    console.log(file);
    for (const { file: name, distance } of neighbours) console.log(`  ${distance.toFixed(3).padStart(9)}  ${name}`);
  }
}

function seconds(value: number): string {
  return value < 1 ? `${(1000 * value).toFixed(0)} ms` : `${value.toFixed(2)} s`;
}
