import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const FILES = ["classes.txt", "words.txt", "LOC_synset_mapping.txt"];

/**
 * What people call classes, from files beside them: a class, a tab (or a space), a title. The first file that has any
 * counts: classes.txt may be a mere list.
 */
export function readTitles(folder: string): ReadonlyMap<string, string> {
  for (const path of FILES.map((name) => join(folder, name)).filter((path) => existsSync(path))) {
    const titles = readFile(path);
    if (titles.size > 0) return titles;
  }
  return new Map();
}

function readFile(path: string): ReadonlyMap<string, string> {
  const titles = new Map<string, string>();
  for (const line of readFileSync(path, "utf8")
    .replace(/^\ufeff/, "")
    .split(/\r?\n/)) {
    const [, name, title] = /^([^\t]+)\t(.+)$/.exec(line) ?? /^(\S+) (.+)$/.exec(line) ?? [];
    if (name !== undefined && title !== undefined) titles.set(name, title.trim());
  }
  return titles;
}
