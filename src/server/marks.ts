import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { RunFolder } from "../runs/folder.js";
import type { Store } from "../store/store.js";
import { readJson, writeWhole } from "../system/files.js";
import type { Mark } from "./api-types.js";
import { placeOf } from "./explore.js";

/** Pictures that somebody marked as wrongly labelled: a list in the run's folder, for tools and people. */

const marksSchema = z.object({ marks: z.array(z.object({ n: z.string(), file: z.string(), label: z.string() })) });

const fileOf = ({ path }: RunFolder): string => join(path, "wrong-labels.json");

export function readMarks(folder: RunFolder): readonly Mark[] {
  const path = fileOf(folder);
  return existsSync(path) ? marksSchema.parse(readJson(path)).marks : [];
}

export function setMark(folder: RunFolder, store: Store, n: string, wrong: boolean): readonly Mark[] {
  const { split, sample } = placeOf(n, store);
  const others = readMarks(folder).filter((mark) => mark.n !== n);
  const label = store.classes[store.labels(split)[sample] ?? -1] ?? "";
  const marks = wrong ? [...others, { n, file: store.fileName(split, sample), label }] : others;
  writeWhole(fileOf(folder), `${JSON.stringify({ marks }, undefined, 2)}\n`);
  return marks;
}
