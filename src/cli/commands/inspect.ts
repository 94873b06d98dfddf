import { join } from "node:path";
import { Command } from "@commander-js/extra-typings";
import type { Command as Program } from "commander";
import { AlexnetError } from "../../errors.js";
import { meanImage, pictureSheet, viewSheet } from "../../store/checking/inspect.js";
import { type SplitSummary, summariseSplits } from "../../store/preparing/summary.js";
import { openStore, type Store } from "../../store/store.js";
import { writeWhole } from "../../system/files.js";
import { makeOutputFolder } from "../../system/outputs.js";
import { percent } from "../../text.js";
import { printJson, printLine } from "../display/print.js";
import { LISTED, printClasses, printFindings } from "../display/store-summary.js";
import { wholeNumber } from "../flags.js";
import { addTyped } from "../typed.js";

const USUAL_CROP = 227; // of the paper's network

export function register(program: Program): void {
  addTyped(
    program,
    new Command("inspect")
      .description("show what is in a prepared store: counts, the mean image, and pictures as the network sees them")
      .argument("<store>", "a folder that prepare made")
      .option("--out <folder>", "where the images go", "inspect")
      .option("--pictures <count>", "in each contact sheet", wholeNumber(1, 1024), 64)
      .option(
        "--crop <pixels>",
        "side of what the network is fed; at most the pictures' own, 227 by default",
        wholeNumber(1),
      )
      .option("--seed <number>", "decides which pictures and crops", wholeNumber(0), 1)
      .option("--all-classes", `list every class, not only the first ${LISTED}`)
      .option("--json", "print JSON, and write no images")
      .action(async (path, { out, pictures: count, crop, seed, allClasses, json }) => {
        const store = await openStore(path);
        try {
          const { pictureSize } = store.info;
          if (crop !== undefined && crop > pictureSize)
            throw new AlexnetError(
              "invalid-option",
              `${path}: has pictures of ${pictureSize}x${pictureSize}; crops of ${crop}x${crop} are larger`,
              { hint: { advice: "give smaller crops", option: "crop", value: pictureSize } },
            );
          const cropSize = crop ?? Math.min(USUAL_CROP, pictureSize);
          const splits = summariseSplits(store);
          if (json) printJson({ ...store.info, classes: store.classes, splits });
          else {
            print(store, splits, allClasses ? store.classes.length : LISTED);
            makeOutputFolder(out, "out");
            const images = {
              "mean.png": await meanImage(store),
              "pictures.png": await pictureSheet(store, { count, seed }),
              "views.png": await viewSheet(store, { count, seed, cropSize }),
            };
            for (const [name, png] of Object.entries(images)) writeWhole(join(out, name), [png]);
            printLine(`written to ${out}: ${Object.keys(images).join(", ")}`);
          }
        } finally {
          await store.close();
        }
      }),
  );
}

function print(store: Store, splits: readonly SplitSummary[], listed: number): void {
  const { path, info, classes, colour } = store;
  printLine(`${path}: ${info.encoding}, from ${info.source.kind} at ${info.source.path}`);
  printClasses(info, classes, splits, listed);
  printFindings(info, path);
  const variance = colour.values.reduce((a, b) => a + b);
  const shares = colour.values.map((value) => percent(value / Math.max(variance, Number.MIN_VALUE)));
  printLine(
    `colour: standard deviations ${colour.values.map((value) => Math.sqrt(value).toFixed(1)).join(", ")} along its`,
  );
  printLine(`        principal components (${shares.join(", ")} of the variance)`);
  printLine(`content ${info.contentHash.slice(0, 16)}, decoded by ${info.decoder}`);
}
