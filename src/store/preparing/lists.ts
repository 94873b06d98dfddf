import { open, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { csvLine } from "../../system/csv.js";
import { syncFolder, UNFINISHED } from "../../system/files.js";
import { type DatabaseFile, parseJson } from "../database.js";

/** Lists for people in a store's folder, as CSV. */

export const SKIPPED_LIST = "skipped.csv";
export const DUPLICATES_LIST = "duplicates.csv";

const WRITTEN = 1 << 16; // characters at once

/** Writes a list whole or not at all, never held whole. */
export async function writeList(path: string, head: readonly string[], rows: Iterable<readonly string[]>) {
  const file = await open(path + UNFINISHED, "w");
  try {
    let text = csvLine(head);
    for (const row of rows) {
      text += csvLine(row);
      if (text.length < WRITTEN) continue;
      await file.writeFile(text);
      text = "";
    }
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(path + UNFINISHED, path);
  syncFolder(dirname(path));
}

/** Lists what was skipped. */
export function writeSkippedList(file: DatabaseFile, folder: string): Promise<void> {
  return writeList(join(folder, SKIPPED_LIST), ["file", "reason"], readSkipped(file));
}

const skipped = z.object({ name: z.string(), reason: z.string() });

function* readSkipped({ database, path }: DatabaseFile): Generator<readonly string[]> {
  for (const { key, value } of database.getRange({ start: "skipped/", end: "skipped0" })) {
    const { name, reason } = parseJson(value, skipped, path, key);
    yield [name, reason];
  }
}
