import { open, rename } from "node:fs/promises";
import { join } from "node:path";
import { type Database, fromJson } from "./database.js";

/** In the store's folder. */
export const SKIPPED_LIST = "skipped.csv";

/** Writes skipped.csv (file, reason) into the store's folder: whole or not at all. */
export async function writeSkippedList(database: Database, folder: string): Promise<string> {
  const path = join(folder, SKIPPED_LIST);
  const file = await open(`${path}.part`, "w");
  try {
    await file.write("file,reason\n");
    for (const { value } of database.getRange({ start: "skipped/", end: "skipped0" })) {
      const { file: name, reason } = fromJson(value) as { file: string; reason: string };
      await file.write(`${quote(name)},${quote(reason)}\n`);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.part`, path);
  return path;
}

/** A CSV field (RFC 4180): any name, line breaks included, reads back the same. */
function quote(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
