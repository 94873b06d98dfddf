import { existsSync, readdirSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { AlexnetError } from "../errors.js";
import { readJson, UNFINISHED, writeWhole } from "../files.js";
import { composeScene, type Scene } from "./scene.js";
import type { Subject } from "./subjects/subject.js";
import { subjects } from "./subjects/subjects.js";

export interface PictureSet {
  readonly seed: number;
  /** Pictures per class. */
  readonly train: number;
  readonly val: number;
}

export interface DrawOptions {
  readonly onProgress?: (drawn: number, of: number) => void;
  readonly signal?: AbortSignal;
}

/** Raise when pictures of the same seed look different than before: folders of older drawings are then drawn anew. */
const EDITION = 1;

/** What marks a folder as drawn by this program, and says with which settings. */
const MARK = "drawn.json";

/** Validation pictures are numbered from here, so that no training picture is among them however many there are. */
const FIRST_VALIDATION_INDEX = 1_000_000;

/**
 * Draws a picture set to learn from: `out`/train/<class>/*.jpg and `out`/val/<class>/*.jpg. The folder appears when it is
 * complete. One that holds the same set already is left as it is; one that holds another set of drawings is replaced.
 * @returns whether it drew.
 * @throws AlexnetError "usage" when `out` holds anything else.
 */
export async function drawPictures(out: string, set: PictureSet, options: DrawOptions = {}): Promise<boolean> {
  const mark = { edition: EDITION, classes: subjects.map(({ name }) => name), ...set };
  if (existsSync(out) && readdirSync(out).length > 0) {
    if (!existsSync(join(out, MARK)))
      throw new AlexnetError("usage", `${out}: holds files that this command did not draw; choose another folder`);
    if (JSON.stringify(readJson(join(out, MARK))) === JSON.stringify(mark)) return false;
  }
  const unfinished = out + UNFINISHED;
  await rm(unfinished, { recursive: true, force: true });
  await drawInto(unfinished, set, options);
  writeWhole(join(unfinished, MARK), `${JSON.stringify(mark)}\n`);
  await rm(out, { recursive: true, force: true });
  await rename(unfinished, out);
  return true;
}

interface Drawing {
  readonly subject: Subject;
  readonly index: number;
  readonly path: string;
}

async function drawInto(folder: string, set: PictureSet, { onProgress, signal }: DrawOptions): Promise<void> {
  const drawings: Drawing[] = [];
  for (const [split, count, first] of [
    ["train", set.train, 0],
    ["val", set.val, FIRST_VALIDATION_INDEX],
  ] as const)
    for (const subject of subjects) {
      const place = join(folder, split, subject.name);
      await mkdir(place, { recursive: true });
      for (let i = 0; i < count; i++)
        drawings.push({ subject, index: first + i, path: join(place, `${String(i + 1).padStart(4, "0")}.jpg`) });
    }

  const queue = drawings.values();
  let drawn = 0;
  const drawOneAfterTheOther = async (): Promise<void> => {
    for (const { subject, index, path } of queue) {
      if (signal?.aborted) throw new AlexnetError("interrupted", "drawing: stopped", { cause: signal.reason });
      await writeFile(path, await renderScene(composeScene(set.seed, subject, index)));
      onProgress?.(++drawn, drawings.length);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, drawOneAfterTheOther));
}

/** The scene as a JPEG. */
export function renderScene({ svg, quality, blur }: Scene): Promise<Uint8Array> {
  const image = sharp(Buffer.from(svg));
  return (blur > 0 ? image.blur(blur) : image).flatten().jpeg({ quality }).toBuffer();
}
