import { open, rename } from "node:fs/promises";
import { join } from "node:path";
import { syncFolder, UNFINISHED } from "../files.js";
import { csvLine } from "../formats/csv.js";
import { type Database, fromJson } from "./database.js";
import type { Fault } from "./sources/source.js";

/** In the store's folder. */
export const SKIPPED_LIST = "skipped.csv";

/** Lists what was skipped (file, reason) in the store's folder: written whole or not at all, never held whole. */
export async function writeSkippedList(database: Database, folder: string): Promise<void> {
  const path = join(folder, SKIPPED_LIST);
  const file = await open(path + UNFINISHED, "w");
  try {
    await file.write(csvLine(["file", "reason"]));
    for (const { value } of database.getRange({ start: "skipped/", end: "skipped0" })) {
      const { name, reason } = fromJson(value) as Fault;
      await file.write(csvLine([name, reason]));
    }
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(path + UNFINISHED, path);
  syncFolder(folder);
}
