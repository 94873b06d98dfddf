import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { AlexnetError } from "../errors.js";
import { readJson, UNFINISHED, writeWhole } from "../system/files.js";
import { makeOutputFolder } from "../system/outputs.js";
import type { PictureSet } from "./pictures.js";

/** What a demo is made with: the same settings give the same demo. */
export interface DemoSettings extends PictureSet {
  readonly width: number;
  readonly epochs: number;
}

/** The parts of a demo, below its folder. */
export interface DemoFolder {
  readonly pictures: string;
  readonly store: string;
  readonly run: string;
}

/** Raise when the drawings change: demos of older drawings are then made anew. */
const EDITION = 1;

/** Marks a folder as a demo's, and says with which settings. */
const MARK = "demo.json";

/**
 * Takes `path` for a demo. What an earlier one with the same settings left there stays, to go on from; that of one with
 * other settings is removed, and so is everything when `fresh` is set. Files of anybody else's stay.
 * @throws AlexnetError "already-exists" when the folder holds files but no demo.
 */
export function claimFolder(path: string, settings: DemoSettings, fresh: boolean): DemoFolder {
  makeOutputFolder(path, "out");
  const mark = join(path, MARK);
  if (!existsSync(mark) && readdirSync(path).length > 0)
    throw new AlexnetError("already-exists", `${path}: holds files, and no demo`, {
      hint: { advice: "choose another folder", option: "out" },
    });
  const parts: DemoFolder = {
    pictures: join(path, "pictures"),
    store: join(path, "store"),
    run: join(path, "run"),
  };
  const wanted = JSON.stringify({ edition: EDITION, ...settings });
  if (!fresh && existsSync(mark) && JSON.stringify(readJson(mark)) === wanted) return parts;
  for (const part of Object.values(parts))
    for (const name of [part, part + UNFINISHED]) rmSync(name, { recursive: true, force: true });
  writeWhole(mark, wanted);
  return parts;
}
