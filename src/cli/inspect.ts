import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Command } from "@commander-js/extra-typings";
import type { Command as Program } from "commander";
import { meanImage, pictureSheet, viewSheet } from "../dataset/inspect.js";
import { summariseSplits } from "../dataset/prepare.js";
import { openStore, type Store } from "../dataset/store.js";
import { writeWhole } from "../files.js";
import { PICTURE_SIZE } from "../images/picture.js";
import { percent, thousands } from "../text.js";
import { wholeNumber } from "./options.js";
import { printTable } from "./print.js";
import { addTyped } from "./typed.js";

export function register(program: Program): void {
  addTyped(
    program,
    new Command("inspect")
      .description("show what is in a prepared store: counts, the mean image, and pictures as the network sees them")
      .argument("<store>", "a folder that prepare made")
      .option("--out <folder>", "where the images go", "inspect")
      .option("--pictures <count>", "in each contact sheet", wholeNumber(1, 1024), 64)
      .option("--crop <pixels>", "side of what the network is fed", wholeNumber(1, PICTURE_SIZE), 227)
      .option("--seed <number>", "decides which pictures and crops", wholeNumber(0), 1)
      .option("--json", "print JSON, and write no images")
      .action(async (path, { out, pictures: count, crop: cropSize, seed, json }) => {
        const store = await openStore(path);
        try {
          if (json) console.log(JSON.stringify({ ...store.info, classes: store.classes }, undefined, 2));
          else {
            print(store);
            mkdirSync(out, { recursive: true });
            const images = {
              "mean.png": await meanImage(store),
              "pictures.png": await pictureSheet(store, { count, seed }),
              "views.png": await viewSheet(store, { count, seed, cropSize }),
            };
            for (const [name, png] of Object.entries(images)) writeWhole(join(out, name), [png]);
            console.log(`written to ${out}: ${Object.keys(images).join(", ")}`);
          }
        } finally {
          await store.close();
        }
      }),
  );
}

const LISTED = 20;

function print(store: Store): void {
  const { info, classes, colour } = store;
  console.log(`${store.path}: ${info.encoding}, from ${info.source.kind} at ${info.source.path}`);
  const [train, val] = summariseSplits(store).map(({ perClass }) => perClass);
  printTable(
    ["class", "train", "val"],
    [
      ...classes
        .slice(0, LISTED)
        .map((name, label) => [titled(name, info.titles), thousands(train[label]), thousands(val[label])]),
      ...(classes.length > LISTED ? [[`and ${thousands(classes.length - LISTED)} more`, "", ""]] : []),
      ["all", thousands(info.counts.train), thousands(info.counts.val)],
    ],
  );
  const variance = colour.values.reduce((a, b) => a + b);
  const shares = colour.values.map((value) => percent(value / Math.max(variance, Number.MIN_VALUE)));
  console.log(`colour: deviations ${colour.values.map((value) => Math.sqrt(value).toFixed(1)).join(", ")} along its`);
  console.log(`        principal components (${shares.join(", ")} of the variance)`);
  console.log(`content ${info.contentHash.slice(0, 16)}, decoded by ${info.decoder}`);
}

const titled = (name: string, titles: Readonly<Record<string, string>>): string =>
  titles[name] === undefined ? name : `${name} ${titles[name]}`;
