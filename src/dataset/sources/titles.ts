import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const FILES = ["classes.txt", "words.txt", "LOC_synset_mapping.txt"];

/** What people call classes, from a file beside them: a class, a tab (or a space), a title. */
export function readTitles(folder: string): ReadonlyMap<string, string> {
  const file = FILES.map((name) => join(folder, name)).find((path) => existsSync(path));
  if (file === undefined) return new Map();
  const titles = new Map<string, string>();
  for (const line of readFileSync(file, "utf8").split(/\r?\n/)) {
    const [, name, title] = /^([^\t]+)\t(.+)$/.exec(line) ?? /^(\S+) (.+)$/.exec(line) ?? [];
    if (name !== undefined && title !== undefined) titles.set(name, title.trim());
  }
  return titles;
}
