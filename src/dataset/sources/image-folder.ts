import { existsSync, readFileSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { basename, dirname, extname, join, resolve } from "node:path";
import { AlexnetError } from "../../errors.js";
import { compareCodePoints, hasPictureExtension, walk } from "../../images/list.js";
import { describeFault } from "../../images/picture.js";
import type { Split } from "../database.js";
import { stampOf } from "./archive.js";
import type { Fault, Item, Source } from "./source.js";
import { readTitles } from "./titles.js";

const VALIDATION_NAMES = ["val", "validation", "valid", "test"];
const KAGGLE_FOLDER = "ILSVRC/Data/CLS-LOC";
const KAGGLE_LIST = "LOC_val_solution.csv";
const LIST = "val.txt";

/**
 * `train/<class>/…` beside `val/<class>/…` (or validation, valid, test), or only `<class>/…`. Folders inside a class
 * belong to it. The validation pictures may lie in one folder, their classes in val.txt or LOC_val_solution.csv: so
 * ILSVRC is when unpacked, by hand or by Kaggle.
 */
export async function openImageFolder(path: string): Promise<Source | undefined> {
  const given = resolve(path);
  const root = existsSync(join(given, KAGGLE_FOLDER)) ? join(given, KAGGLE_FOLDER) : given;
  const parts = await findParts(root);
  if (parts.length === 0) return undefined;
  const titles = readTitles(root).size > 0 ? readTitles(root) : readTitles(given);
  return {
    kind: "image folders",
    path: given,
    titles,
    async *items() {
      for (const part of parts) yield* "list" in part ? listFlat(root, part) : listClasses(root, part);
    },
  };
}

/** A folder of class folders, and the split its pictures belong to. */
interface ClassFolders {
  readonly folder: string; // relative to the root, "" for itself
  readonly split: Split | undefined;
  readonly classes: readonly string[];
}

/** A folder of validation pictures, and a file that says what they show. */
interface FlatFolder {
  readonly folder: string;
  readonly list: string;
  /** Numbers in the list count these. */
  readonly classes: readonly string[];
}

async function findParts(root: string): Promise<(ClassFolders | FlatFolder)[]> {
  const folders = await listFolders(root);
  if (!folders.includes("train"))
    return folders.length === 0 ? [] : [{ folder: "", split: undefined, classes: folders }];
  const validation = VALIDATION_NAMES.find((name) => folders.includes(name));
  const classes = await listFolders(join(root, "train"));
  if (validation === undefined) return [{ folder: "train", split: undefined, classes }];
  const train = { folder: "train", split: "train", classes } as const;
  const validated = await listFolders(join(root, validation));
  if (validated.length > 0) return [train, { folder: validation, split: "val", classes: validated }];
  return [train, { folder: validation, list: findList(root, validation), classes }];
}

function findList(root: string, validation: string): string {
  const above = [root, dirname(root), dirname(dirname(root)), dirname(dirname(dirname(root)))];
  const places = [join(root, LIST), join(root, validation, LIST), ...above.map((folder) => join(folder, KAGGLE_LIST))];
  const list = places.find((path) => existsSync(path));
  if (list !== undefined) return list;
  throw new AlexnetError(
    "data",
    `${join(root, validation)}: neither class folders nor a list of what its pictures show; ` +
      `put ${LIST} (lines of: file class) or ${KAGGLE_LIST} into ${root}`,
  );
}

async function listFolders(path: string): Promise<string[]> {
  const names: string[] = [];
  for (const entry of await readdir(path, { withFileTypes: true })) {
    if (entry.name.startsWith(".")) continue;
    const isFolder = entry.isDirectory() || (entry.isSymbolicLink() && (await leadsToFolder(join(path, entry.name))));
    if (isFolder) names.push(entry.name);
  }
  return names.sort(compareCodePoints);
}

async function leadsToFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}

async function* listClasses(root: string, { folder, split, classes }: ClassFolders): AsyncGenerator<Item | Fault> {
  for (const className of classes) {
    const prefix = folder === "" ? className : `${folder}/${className}`;
    const faults: Fault[] = [];
    const files = walk(join(root, prefix), (name, error) =>
      faults.push({ name: name === "" ? prefix : `${prefix}/${name}`, reason: describeFault(error) }),
    );
    for await (const file of files) yield describeFile(root, `${prefix}/${file}`, className, split);
    yield* faults;
  }
}

/** Every picture of the list, there or not; then those that are there and not in the list. */
async function* listFlat(root: string, { folder, list, classes }: FlatFolder): AsyncGenerator<Item | Fault> {
  const classOf = readList(list, classes);
  for (const [file, className] of classOf) yield describeFile(root, `${folder}/${file}`, className, "val");
  for (const file of (await readdir(join(root, folder))).sort(compareCodePoints))
    if (hasPictureExtension(file) && !file.startsWith(".") && !classOf.has(file))
      yield { name: `${folder}/${file}`, reason: `not in ${basename(list)}` };
}

function describeFile(root: string, name: string, className: string, split: Split | undefined): Item {
  const path = join(root, name);
  return { name, className, split, place: { kind: "file", path }, stamp: stampOfFile(path) };
}

function stampOfFile(path: string): string {
  try {
    return stampOf(path); // at once: a million promises would take minutes
  } catch {
    return "missing";
  }
}

/** Class by file name. val.txt: `file class` or `file number`; LOC_val_solution.csv: `picture,class box …`. */
function readList(path: string, classes: readonly string[]): ReadonlyMap<string, string> {
  const classOf = new Map<string, string>();
  const isKaggle = extname(path) === ".csv";
  const lines = readFileSync(path, "utf8").split(/\r?\n/);
  lines.forEach((line, i) => {
    if (line.trim() === "" || (isKaggle && i === 0)) return;
    const [, file, label] = (isKaggle ? /^([^,]+),(\S+)/ : /^(.+?)\s+(\S+)\s*$/).exec(line) ?? [];
    const className =
      label !== undefined && /^\d+$/.test(label) && !classes.includes(label) ? classes[Number(label)] : label;
    if (file === undefined || className === undefined)
      throw new AlexnetError("data", `${path}: line ${i + 1} names no file and class: ${line.slice(0, 80)}`);
    classOf.set(isKaggle ? `${file}.JPEG` : basename(file), className);
  });
  return classOf;
}
