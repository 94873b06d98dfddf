import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { sharp } from "../images/sharp.js";
import { UNFINISHED } from "../system/files.js";
import { type ProgressEvent, type Task, type TaskOptions, taskOf, throwIfStopped } from "../task.js";
import { composeScene, type Scene } from "./scene.js";
import type { Subject } from "./subjects/subject.js";
import { subjects } from "./subjects/subjects.js";

export interface PictureSet {
  readonly seed: number;
  /** Pictures per class. */
  readonly train: number;
  readonly val: number;
}

/** Validation pictures are numbered from here, so that no training picture is among them however many there are. */
const FIRST_VALIDATION_INDEX = 1_000_000;

/**
 * Draws a picture set to learn from: `out`/train/<class>/*.jpg and `out`/val/<class>/*.jpg. The folder, which must not be
 * there yet, appears when it is complete.
 * @throws AlexnetError "interrupted" when the signal stopped it.
 */
export async function drawPictures(
  out: string,
  set: PictureSet,
  options: TaskOptions<ProgressEvent> = {},
): Promise<void> {
  const unfinished = out + UNFINISHED;
  await rm(unfinished, { recursive: true, force: true });
  await drawInto(unfinished, set, taskOf(options));
  await rename(unfinished, out);
}

interface Drawing {
  readonly subject: Subject;
  readonly index: number;
  readonly path: string;
}

async function drawInto(folder: string, set: PictureSet, task: Task<ProgressEvent>): Promise<void> {
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
      throwIfStopped(task, "drawing");
      await writeFile(path, await renderScene(composeScene(set.seed, subject, index)));
      task.report({ kind: "progress", of: "drawing", done: ++drawn, total: drawings.length });
    }
  };
  const drawers = Array.from({ length: availableParallelism() }, drawOneAfterTheOther);
  await Promise.allSettled(drawers); // when one fails, others still write: nobody may begin anew before they have ended
  await Promise.all(drawers);
}

/** The scene as a JPEG. */
export function renderScene({ svg, quality, blur }: Scene): Promise<Uint8Array> {
  const image = sharp(Buffer.from(svg));
  return (blur > 0 ? image.blur(blur) : image).flatten().jpeg({ quality }).toBuffer();
}
