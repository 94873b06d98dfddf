import { existsSync } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { compareCodePoints, walk } from "../../images/list.js";
import { describeFault } from "../../images/picture.js";
import type { Split } from "../database.js";
import type { Item, Source } from "./source.js";

const validationNames = ["val", "validation", "valid", "test"];

/**
 * `train/<class>/…` beside `val/<class>/…` (or validation, valid, test), or only `<class>/…`. Folders inside a class
 * belong to it.
 */
export async function openImageFolder(path: string): Promise<Source | undefined> {
  const root = resolve(path);
  const parts = await findParts(root);
  if (parts.length === 0) return undefined;
  return { kind: "image folders", path: root, titles: await readTitles(root), items: () => listItems(root, parts) };
}

/** A folder of class folders, and the split its pictures belong to. */
interface Part {
  readonly folder: string; // relative to the root, "" for itself
  readonly split: Split | undefined;
  readonly classes: readonly string[];
}

async function findParts(root: string): Promise<Part[]> {
  const folders = await listFolders(root);
  if (!folders.includes("train"))
    return folders.length === 0 ? [] : [{ folder: "", split: undefined, classes: folders }];
  const validation = validationNames.find((name) => folders.includes(name));
  const train = await listFolders(join(root, "train"));
  if (validation === undefined) return [{ folder: "train", split: undefined, classes: train }];
  return [
    { folder: "train", split: "train", classes: train },
    { folder: validation, split: "val", classes: await listFolders(join(root, validation)) },
  ];
}

async function listFolders(path: string): Promise<string[]> {
  const names: string[] = [];
  for (const entry of await readdir(path, { withFileTypes: true })) {
    if (entry.name.startsWith(".")) continue;
    if (entry.isDirectory() || (entry.isSymbolicLink() && (await isFolder(join(path, entry.name)))))
      names.push(entry.name);
  }
  return names.sort(compareCodePoints);
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}

async function* listItems(root: string, parts: readonly Part[]): AsyncGenerator<Item> {
  for (const { folder, split, classes } of parts)
    for (const className of classes) {
      const prefix = folder === "" ? className : `${folder}/${className}`;
      const unreadable: Item[] = [];
      const files = walk(join(root, prefix), (name, error) =>
        unreadable.push({
          name: name === "" ? prefix : `${prefix}/${name}`,
          className,
          split,
          place: { kind: "none", reason: describeFault(error) },
          stamp: "",
        }),
      );
      for await (const file of files) {
        const name = `${prefix}/${file}`;
        const path = join(root, name);
        yield { name, className, split, place: { kind: "file", path }, stamp: await stampOf(path) };
      }
      yield* unreadable;
    }
}

async function stampOf(path: string): Promise<string> {
  try {
    const { size, mtimeMs } = await stat(path);
    return `${size} ${mtimeMs}`;
  } catch {
    return "missing";
  }
}

/** `classes.txt` or `words.txt`: a class, a tab, what people call it. */
async function readTitles(root: string): Promise<ReadonlyMap<string, string>> {
  const file = ["classes.txt", "words.txt"].map((name) => join(root, name)).find((path) => existsSync(path));
  if (file === undefined) return new Map();
  const lines = (await readFile(file, "utf8")).split(/\r?\n/).map((line) => line.split("\t"));
  return new Map(lines.flatMap(([name, title]) => (name && title ? [[name, title.trim()] as const] : [])));
}
