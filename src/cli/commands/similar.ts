import { basename } from "node:path";
import { Command } from "@commander-js/extra-typings";
import type { Command as Program } from "commander";
import { resize, squareOf } from "../../drawing/pixels.js";
import { drawSheet, type Tile } from "../../drawing/sheet.js";
import { precisions } from "../../engine/engine.js";
import { engineNames } from "../../engine/host/engines.js";
import { findSimilar, type SimilarResult } from "../../evaluation/similar.js";
import { loadPicture } from "../../images/picture.js";
import { DEFAULT_PICTURE_SIZE } from "../../network/picture.js";
import { writeWhole } from "../../system/files.js";
import { reportUnreadable } from "../display/failures.js";
import { thousands } from "../display/print.js";
import { Progress } from "../display/progress.js";
import { choice, ENGINE_HELP, PRECISION_HELP, wholeNumber } from "../flags.js";
import { interruptible } from "../interruption.js";
import { addTyped } from "../typed.js";

const SIDE = 128; // pixels of each picture

export function register(program: Program): void {
  addTyped(
    program,
    new Command("similar")
      .description("find the pictures of a set that look most like others to the network")
      .argument("<run>", "folder of a run, or a checkpoint's file")
      .argument("<set>", "folder of pictures to search, or a .safetensors file of `alexnet features`")
      .argument("<pictures...>", "pictures to search for, or folders of them")
      .option("--count <number>", "nearest pictures of each", wholeNumber(1), 6)
      .option("--sheet <file.png>", "draw a contact sheet: each picture, and beside it those like it")
      .option("--layer <name>", "compare what this layer makes of them; default the last hidden one (relu7)")
      .option("--index <file.safetensors>", "keep the set's features there; default in the run's folder")
      .option("--checkpoint <name>", "best or last", choice(["best", "last"]), "best")
      .option("--engine <name>", ENGINE_HELP, choice(["auto", ...engineNames]), "auto")
      .option("--precision <name>", PRECISION_HELP, choice(precisions))
      .option("--threads <count>", "threads that compute", wholeNumber(1))
      .option("--workers <count>", "threads that decode", wholeNumber(1))
      .option("--json", "print JSON")
      .action(async (run, set, queries, { json, sheet, ...options }) => {
        const progress = new Progress("features");
        const result = await interruptible((signal) =>
          findSimilar({
            ...options,
            run,
            set,
            queries,
            signal,
            onEvent: (event) => {
              if (event.kind === "unreadable") reportUnreadable(event.error);
              else progress.update(event.done, event.total);
            },
          }),
        ).finally(progress.stop);
        if (json) console.log(JSON.stringify(result, undefined, 2));
        else print(result);
        if (sheet !== undefined) {
          await writeSheet(sheet, result);
          console.error(`${sheet}: ${result.queries.length} rows`);
        }
      }),
  );
}

function print({ index, pictures, reused, layer, queries, searchSeconds }: SimilarResult): void {
  const state = reused ? "there already" : "made";
  console.error(`${index}: ${thousands(pictures)} pictures, ${layer}, ${state}; searched in ${seconds(searchSeconds)}`);
  for (const { file, neighbours } of queries) {
    console.log(file);
    for (const { file: name, distance } of neighbours) console.log(`  ${distance.toFixed(3).padStart(9)}  ${name}`);
  }
}

function seconds(value: number): string {
  return value < 1 ? `${(1000 * value).toFixed(0)} ms` : `${value.toFixed(2)} s`;
}

async function writeSheet(path: string, { queries }: SimilarResult): Promise<void> {
  const rows: Tile[][] = [];
  for (const { file, neighbours } of queries)
    rows.push(await Promise.all([file, ...neighbours.map(({ file: name }) => name)].map(loadIfThere)));
  writeWhole(path, [(await drawSheet(rows, { width: SIDE, height: SIDE, gap: 4, firstApart: true })).png]);
}

/** A set's picture may have gone since its features were made: an empty place then. */
async function loadIfThere(file: string): Promise<Tile> {
  try {
    return { pixels: await resize(squareOf(DEFAULT_PICTURE_SIZE, await loadPicture(file)), SIDE) };
  } catch (error) {
    reportUnreadable(`${basename(file)}: left out of the sheet: ${error instanceof Error ? error.message : error}`);
    return { pixels: undefined };
  }
}
