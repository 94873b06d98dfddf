import { existsSync, readdirSync } from "node:fs";
import { join, parse, sep } from "node:path";

/**
 * A word as the disk spells it, where it names a file or folder in another form of Unicode: é may be one character to
 * the keyboard and two to the disk. Any other word is as it was.
 */
export function asOnDisk(word: string): string {
  if (/^\p{ASCII}*$/u.test(word) || word.startsWith("-") || existsSync(word)) return word;
  const { root } = parse(word);
  let found = root;
  for (const part of word.slice(root.length).split(sep)) {
    const spelt = existsSync(join(found, part)) ? part : entryLike(part, found);
    if (spelt === undefined) return word;
    found = join(found, spelt);
  }
  return found;
}

function entryLike(name: string, folder: string): string | undefined {
  try {
    return readdirSync(folder === "" ? "." : folder).find((entry) => entry.normalize() === name.normalize());
  } catch {
    return undefined;
  }
}
