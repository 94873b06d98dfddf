import { existsSync } from "node:fs";
import { join } from "node:path";
import { readLines } from "./text-lines.js";

const FILES = ["classes.txt", "words.txt", "LOC_synset_mapping.txt"];

/**
 * What people call classes, from files in some folders: a class, a tab (or a space), a title. The first file that has
 * any counts: classes.txt may be a mere list.
 */
export function readTitles(...folders: readonly string[]): ReadonlyMap<string, string> {
  const paths = folders.flatMap((folder) => FILES.map((name) => join(folder, name)));
  for (const path of paths.filter((path) => existsSync(path))) {
    const titles = readFile(path);
    if (titles.size > 0) return titles;
  }
  return new Map();
}

function readFile(path: string): ReadonlyMap<string, string> {
  const titles = new Map<string, string>();
  for (const line of readLines(path)) {
    const [, name, title] = /^([^\t]+)\t(.+)$/.exec(line) ?? /^(\S+) (.+)$/.exec(line) ?? [];
    if (name !== undefined && title !== undefined) titles.set(name, title.trim());
  }
  return titles;
}
