import { existsSync } from "node:fs";
import { readdir, realpath, stat } from "node:fs/promises";
import { basename, dirname, extname, join, resolve } from "node:path";
import { AlexnetError } from "../../errors.js";
import { compareCodePoints, contains, hasPictureExtension, walk } from "../../images/list.js";
import { describeFault } from "../../images/picture.js";
import type { Split } from "../../network/picture.js";
import { enumerate } from "../../text.js";

import { stampOf } from "./archive.js";
import type { Fault, Item, Source } from "./source.js";
import { readLines } from "./text-lines.js";
import { readTitles } from "./titles.js";

const VALIDATION_NAMES = ["val", "validation", "valid", "test"];
const KAGGLE_FOLDER = "ILSVRC/Data/CLS-LOC";
const KAGGLE_LIST = "LOC_val_solution.csv";
const LIST = "val.txt";

/**
 * `train/<class>/…` beside `val/<class>/…` (or validation, valid, test; in any case), or only `<class>/…`. Folders inside
 * a class belong to it. The validation pictures may lie in one folder, their classes in val.txt or LOC_val_solution.csv: so
 * ILSVRC is when unpacked, by hand or by Kaggle.
 */
export async function openImageFolder(path: string): Promise<Source | undefined> {
  const given = resolve(path);
  const root = existsSync(join(given, KAGGLE_FOLDER)) ? join(given, KAGGLE_FOLDER) : given;
  const folders = await listFolders(root);
  const parts = await findParts(root, folders);
  if (parts.length === 0) return undefined;
  const titles = readTitles(root, given);
  const notes = notesOn(folders, parts);
  const empty: string[] = [];
  return {
    kind: "image folders",
    path: given,
    titles,
    get notes() {
      return empty.length === 0 ? notes : [...notes, `folders without pictures: ${enumerate(empty)}`];
    },
    async *items() {
      empty.length = 0;
      for (const part of parts) yield* "list" in part ? listFlat(root, part) : listClasses(root, part, empty);
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
  readonly split: "val";
  readonly list: string;
  /** Numbers in the list count these. */
  readonly classes: readonly string[];
}

async function findParts(root: string, folders: readonly string[]): Promise<(ClassFolders | FlatFolder)[]> {
  const [training] = named(folders, "train");
  const [validation] = VALIDATION_NAMES.flatMap((name) => named(folders, name));
  const areClasses = folders.some((folder) => folder !== training && !VALIDATION_NAMES.includes(folder.toLowerCase()));
  const classes = training === undefined ? [] : await listFolders(join(root, training));
  if (areClasses && (training === undefined || (validation === undefined && classes.length === 0)))
    return [{ folder: "", split: undefined, classes: folders }]; // a class may be of trains
  if (folders.length === 0) return [];
  if (training === undefined)
    throw new AlexnetError(
      "unusable-data",
      `${root}: ${folders.join(" and ")} without train; put the training pictures there`,
    );
  if (classes.length === 0)
    throw new AlexnetError(
      "unusable-data",
      `${join(root, training)}: no class folders; each class needs one of its own`,
    );
  if (validation === undefined) return [{ folder: training, split: undefined, classes }];
  const train = { folder: training, split: "train", classes } as const;
  const validated = await listFolders(join(root, validation));
  if (validated.length > 0) return [train, { folder: validation, split: "val", classes: validated }];
  return [train, { folder: validation, split: "val", list: findList(root, validation), classes }];
}

function notesOn(folders: readonly string[], parts: readonly (ClassFolders | FlatFolder)[]): readonly string[] {
  const validation = parts.find(({ split }) => split === "val")?.folder;
  const left = folders.filter((name) => name !== validation && VALIDATION_NAMES.includes(name.toLowerCase()));
  return validation === undefined || left.length === 0
    ? []
    : [`left alone, there being ${validation}: ${left.join(", ")}`];
}

/** As it is written, or else in another case. */
function named(folders: readonly string[], name: string): readonly string[] {
  return folders.includes(name) ? [name] : folders.filter((folder) => folder.toLowerCase() === name);
}

function findList(root: string, validation: string): string {
  const above = [root, dirname(root), dirname(dirname(root)), dirname(dirname(dirname(root)))];
  const places = [join(root, LIST), join(root, validation, LIST), ...above.map((folder) => join(folder, KAGGLE_LIST))];
  const list = places.find((path) => existsSync(path));
  if (list !== undefined) return list;
  throw new AlexnetError(
    "unusable-data",
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

/** And not back to one that it is in. */
async function leadsToFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory() && !contains(await realpath(path), await realpath(dirname(path)));
  } catch {
    return false;
  }
}

/** @param empty gets the folders that have nothing in them */
async function* listClasses(
  root: string,
  { folder, split, classes }: ClassFolders,
  empty: string[],
): AsyncGenerator<Item | Fault> {
  for (const className of classes) {
    const prefix = folder === "" ? className : `${folder}/${className}`;
    const faults: Fault[] = [];
    let found = 0;
    const files = walk(join(root, prefix), (name, error) =>
      faults.push({
        name: name === "" ? prefix : `${prefix}/${name}`,
        reason: describeFault(error),
        isPartial: !(error instanceof AlexnetError),
      }),
    );
    for await (const file of files) {
      found++;
      yield describeFile(root, `${prefix}/${file}`, className, split);
    }
    if (found + faults.length === 0) empty.push(prefix);
    yield* faults;
  }
  for (const file of await listLoose(join(root, folder)))
    yield { name: folder === "" ? file : `${folder}/${file}`, reason: "in no class folder" };
}

/** Pictures that lie in a folder itself. */
async function listLoose(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory() && !entry.name.startsWith(".") && hasPictureExtension(entry.name))
    .map(({ name }) => name)
    .sort(compareCodePoints);
}

/** Every picture of the list, there or not; then those that are there and not in the list. */
async function* listFlat(root: string, { folder, list, classes }: FlatFolder): AsyncGenerator<Item | Fault> {
  const classOf = readList(list, classes);
  for (const [file, className] of classOf) yield describeFile(root, `${folder}/${file}`, className, "val");
  for (const file of await listLoose(join(root, folder)))
    if (!classOf.has(file)) yield { name: `${folder}/${file}`, reason: `not in ${basename(list)}` };
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
  const known = new Set(classes);
  const spaced = classes.filter((name) => /\s/.test(name));
  readLines(path).forEach((line, i) => {
    if (line.trim() === "" || (isKaggle && i === 0)) return;
    const fail = (what: string) =>
      new AlexnetError("damaged-file", `${path}: line ${i + 1} ${what}: ${line.slice(0, 80)}`);
    const [file, label] = isKaggle ? kaggleFields(line) : fieldsOf(line.trim(), spaced);
    if (file === undefined || label === undefined) throw fail("names no file and class");
    const className = known.has(label) || !/^\d+$/.test(label) ? label : classes[Number(label)];
    if (className === undefined)
      throw fail(`has no number from 0 to ${classes.length - 1}, the folders of train in order; use their names`);
    if ((classOf.get(file) ?? className) !== className) throw fail("gives a file a second class");
    classOf.set(file, className);
  });
  return classOf;
}

function kaggleFields(line: string): readonly (string | undefined)[] {
  const [, picture, label] = /^([^,]+),(\S+)/.exec(line) ?? [];
  return picture === undefined ? [] : [`${basename(picture)}.JPEG`, label];
}

/** The class is the last word, or what stands behind a tab, or one of those with spaces in their names. */
function fieldsOf(line: string, spaced: readonly string[]): readonly (string | undefined)[] {
  const name = spaced.find((name) => line.endsWith(` ${name}`));
  const label = name ?? /[^\t]+$/.exec(line.includes("\t") ? line : "")?.[0] ?? /\S+$/.exec(line)?.[0] ?? "";
  const file = line.slice(0, line.length - label.length).trim();
  return file === "" ? [] : [basename(file), label.trim()];
}
