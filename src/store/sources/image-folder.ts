import { existsSync } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import { basename, dirname, extname, join, resolve } from "node:path";
import { AlexnetError } from "../../errors.js";
import { contains, hasPictureExtension, isPassedOver, type Visitor, walk } from "../../images/list.js";
import { OtherFiles } from "../../images/other-files.js";
import { describeFault } from "../../images/picture.js";
import type { Split } from "../../network/picture.js";
import { readFolder } from "../../system/folder.js";
import { type Task, throwIfStopped } from "../../task.js";
import { enumerate, indexOfName } from "../../text.js";

import { stampOf } from "./archive.js";
import type { Fault, Item, Source, SourceChoices } from "./source.js";
import { type Role, rolesOf } from "./split-names.js";
import { readLines } from "./text-lines.js";
import { readTitles } from "./titles.js";

const KAGGLE_FOLDER = "ILSVRC/Data/CLS-LOC";
const KAGGLE_LIST = "LOC_val_solution.csv";
const LIST = "val.txt";

/** What going through folders may be stopped by. */
type Listing = Pick<Task, "signal">;

/**
 * `train/<class>/…` beside `val/<class>/…` (by any of the names in split-names.ts), or only `<class>/…`. Folders inside a
 * class belong to it; a folder around all of it, or around a split's classes, is passed through. The validation
 * pictures may lie in one folder, their classes in val.txt or LOC_val_solution.csv: so ILSVRC is when unpacked, by hand or
 * by Kaggle.
 */
export async function openImageFolder(
  path: string,
  choices: SourceChoices,
  task: Listing,
): Promise<Source | undefined> {
  const given = resolve(path);
  const root = existsSync(join(given, KAGGLE_FOLDER))
    ? join(given, KAGGLE_FOLDER)
    : join(given, await withoutWrapper(given, "", task));
  const folders = await listFolders(root, task);
  const { parts, leftAside } = await (choices.part === "test" ? findTests : findParts)(root, folders, task);
  if (parts.length === 0) return undefined;
  const titles = readTitles(root, given);
  const notes = leftAside.map(({ folder, reason }) => `left aside: ${folder} (${reason})`);
  const empty: string[] = [];
  const others = new OtherFiles();
  return {
    kind: "image folders",
    path: given,
    titles,
    get notes() {
      const without = empty.length === 0 ? [] : [`folders without pictures: ${enumerate(empty)}`];
      return [...notes, ...without, ...[others.describe() ?? []].flat()];
    },
    async *items(task) {
      empty.length = 0;
      others.clear();
      for (const part of parts)
        yield* "list" in part ? listFlat(root, part, others, task) : listClasses(root, part, { empty, others }, task);
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

interface LeftAside {
  readonly folder: string;
  readonly reason: string;
}

interface Parts {
  readonly parts: readonly (ClassFolders | FlatFolder)[];
  readonly leftAside: readonly LeftAside[];
}

/** The pictures for tests alone, of the first folder of them with class folders in it. */
async function findTests(root: string, folders: readonly string[], task: Listing): Promise<Parts> {
  for (const name of foldersOf(rolesOf(folders), "test")) {
    const folder = await withoutWrapper(root, name, task);
    const classes = await listFolders(join(root, folder), task);
    if (classes.length > 0) return { parts: [{ folder, split: undefined, classes }], leftAside: [] };
  }
  return { parts: [], leftAside: [] };
}

async function findParts(root: string, folders: readonly string[], task: Listing): Promise<Parts> {
  if (folders.length === 0) return { parts: [], leftAside: [] };
  const roles = rolesOf(folders);
  const [training, ...otherTraining] = foldersOf(roles, "train");
  if (training === undefined || (await isClassOfTrains(root, training, folders, roles, task)))
    return withoutTraining(root, folders, roles, task);
  const folder = await withoutWrapper(root, training, task);
  const classes = await listFolders(join(root, folder), task);
  if (classes.length === 0)
    throw new AlexnetError(
      "unusable-data",
      `${join(root, training)}: no class folders; each class needs one of its own`,
    );
  const others = [...otherTraining, ...folders.filter((name) => !roles.has(name))].map((name) => ({
    folder: name,
    reason: `beside ${training}, it is neither training nor validation pictures`,
  }));
  const { part, leftAside } = await findValidation(root, roles, classes, task);
  const train = { folder, split: part === undefined ? undefined : "train", classes } as const;
  return { parts: part === undefined ? [train] : [train, part], leftAside: [...leftAside, ...others] };
}

/** In the order of preference for one role: as the name is written in the field, then the others. */
function foldersOf(roles: ReadonlyMap<string, Role>, role: Role): readonly string[] {
  const names = [...roles].filter(([, found]) => found === role).map(([name]) => name);
  return [...names.filter((name) => name === role), ...names.filter((name) => name !== role)];
}

/** A class may be of trains: without validation pictures or class folders in it, it is one among the others. */
async function isClassOfTrains(
  root: string,
  training: string,
  folders: readonly string[],
  roles: ReadonlyMap<string, Role>,
  task: Listing,
): Promise<boolean> {
  const isAlone = ![...roles.values()].some((role) => role !== "train");
  const hasOthers = folders.some((name) => !roles.has(name));
  return isAlone && hasOthers && (await listFolders(join(root, training), task)).length === 0;
}

/** Every folder is a class, but for those of validation pictures whose own folders are classes too. */
async function withoutTraining(
  root: string,
  folders: readonly string[],
  roles: ReadonlyMap<string, Role>,
  task: Listing,
): Promise<Parts> {
  const classes = folders.filter((name) => !roles.has(name));
  const { part, leftAside } = await findValidation(root, roles, classes, task, true);
  if (part !== undefined) return { parts: [{ folder: "", split: "train", classes }, part], leftAside };
  if (classes.length === 0 && [...roles.values()].some((role) => role !== "train"))
    throw new AlexnetError(
      "unusable-data",
      `${root}: ${folders.join(" and ")} without train; put the training pictures there`,
    );
  await refuseSameFolders(root, folders, task);
  return { parts: [{ folder: "", split: undefined, classes: folders }], leftAside: [] };
}

/** @throws AlexnetError "unusable-data" where all folders have the same folders in them: those are the classes. */
async function refuseSameFolders(root: string, folders: readonly string[], task: Listing): Promise<void> {
  const [first = [], ...others] = await Promise.all(
    folders.map((name) => listFoldersIfAllowed(join(root, name), task)),
  );
  const areSame = others.every(
    (names) => names.length === first.length && names.every((name) => indexOfName(first, name) >= 0),
  );
  if (others.length === 0 || first.length < 2 || !areSame) return;
  throw new AlexnetError(
    "unusable-data",
    `${root}: ${enumerate(folders)} all have the same folders in them (${enumerate(first)}), so they are no classes; ` +
      "name them train and val, or give one of them",
  );
}

/**
 * The pictures to validate on: of several folders the first whose pictures have labels, tests last. Tests without labels
 * and empty folders are left aside.
 * @param mustShare whether a folder only counts if some of its classes are among those given
 */
async function findValidation(
  root: string,
  roles: ReadonlyMap<string, Role>,
  classes: readonly string[],
  task: Listing,
  mustShare = false,
): Promise<{ readonly part: ClassFolders | FlatFolder | undefined; readonly leftAside: readonly LeftAside[] }> {
  const leftAside: LeftAside[] = [];
  let part: ClassFolders | FlatFolder | undefined;
  for (const name of [...foldersOf(roles, "val"), ...foldersOf(roles, "test")]) {
    if (part !== undefined) {
      leftAside.push({ folder: name, reason: `${part.folder} validates` });
      continue;
    }
    const folder = await withoutWrapper(root, name, task);
    const own = await listFolders(join(root, folder), task);
    const isEmpty = !(await hasPictures(join(root, folder), task));
    const isShared = !mustShare || own.some((className) => indexOfName(classes, className) >= 0);
    if (own.length > 0 && isShared && !isEmpty) part = { folder, split: "val", classes: own };
    else if (mustShare) continue;
    else if (isEmpty) leftAside.push({ folder: name, reason: "no pictures in it" });
    else {
      const list = findList(root, folder);
      if (list !== undefined) part = { folder, split: "val", list, classes };
      else if (roles.get(name) === "test") leftAside.push({ folder: name, reason: "its pictures have no labels" });
      else throw withoutLabels(root, folder);
    }
  }
  return { part, leftAside };
}

function withoutLabels(root: string, folder: string): AlexnetError {
  return new AlexnetError(
    "unusable-data",
    `${join(root, folder)}: neither class folders nor a list of what its pictures show; ` +
      `put ${LIST} (lines of: file class) or ${KAGGLE_LIST} into ${root}`,
  );
}

/**
 * Through folders that only wrap another one, which archives and downloads make: `dataset/dataset/train`.
 * @param folder relative to the root; @returns the innermost, relative too
 */
async function withoutWrapper(root: string, folder: string, task: Listing): Promise<string> {
  const [only, ...others] = await listFolders(join(root, folder), task);
  if (only === undefined || others.length > 0 || (await listLoose(join(root, folder), task)).length > 0) return folder;
  const inner = folder === "" ? only : `${folder}/${only}`;
  const innermost = await withoutWrapper(root, inner, task);
  const hasClasses = (await listFolders(join(root, innermost), task)).length > 1;
  return hasClasses || only === basename(folder) ? innermost : folder;
}

function findList(root: string, validation: string): string | undefined {
  const above = [root, dirname(root), dirname(dirname(root)), dirname(dirname(dirname(root)))];
  const places = [join(root, LIST), join(root, validation, LIST), ...above.map((folder) => join(folder, KAGGLE_LIST))];
  return places.find((path) => existsSync(path));
}

async function listFolders(path: string, task: Listing): Promise<string[]> {
  const names: string[] = [];
  for (const entry of await readFolder(path, task)) {
    if (isPassedOver(entry.name)) continue;
    const isFolder = entry.isDirectory() || (entry.isSymbolicLink() && (await leadsToFolder(join(path, entry.name))));
    if (isFolder) names.push(entry.name);
  }
  return names;
}

/** None of a folder that can't be entered: it is named once its pictures are listed. */
async function listFoldersIfAllowed(path: string, task: Listing): Promise<string[]> {
  try {
    return await listFolders(path, task);
  } catch {
    throwIfStopped(task, `listing ${path}`);
    return [];
  }
}

/** And not back to one that it is in. */
async function leadsToFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory() && !contains(await realpath(path), await realpath(dirname(path)));
  } catch {
    return false;
  }
}

/** What is told of once all is listed. */
interface Findings {
  /** Folders that have no pictures in them. */
  readonly empty: string[];
  readonly others: OtherFiles;
}

async function* listClasses(
  root: string,
  { folder, split, classes }: ClassFolders,
  { empty, others }: Findings,
  task: Listing,
): AsyncGenerator<Item | Fault> {
  for (const className of classes) {
    const prefix = folder === "" ? className : `${folder}/${className}`;
    const faults: Fault[] = [];
    let found = 0;
    const visitor: Visitor = {
      unreadable: (name, error) =>
        faults.push({
          name: name === "" ? prefix : `${prefix}/${name}`,
          reason: describeFault(error),
          isPartial: !(error instanceof AlexnetError),
        }),
      other: (name) => others.add(name),
    };
    for await (const file of walk(join(root, prefix), visitor, task)) {
      found++;
      yield describeFile(root, `${prefix}/${file}`, className, split);
    }
    if (found + faults.length === 0) empty.push(prefix);
    yield* faults;
  }
  for (const file of await listLoose(join(root, folder), task))
    yield { name: folder === "" ? file : `${folder}/${file}`, reason: "in no class folder" };
}

/** In a folder or anywhere below it; what can't be entered may have some. */
async function hasPictures(path: string, task: Listing): Promise<boolean> {
  let isUnknown = false;
  const visitor: Visitor = {
    unreadable: () => {
      isUnknown = true;
    },
    other: () => {},
  };
  for await (const _ of walk(path, visitor, task)) return true;
  return isUnknown;
}

/** Pictures that lie in a folder itself. */
async function listLoose(path: string, task: Listing): Promise<string[]> {
  const entries = await readFolder(path, task);
  return entries
    .filter((entry) => !entry.isDirectory() && !entry.name.startsWith(".") && hasPictureExtension(entry.name))
    .map(({ name }) => name);
}

/** Every picture of the list, there or not; then those that are there and not in the list. */
async function* listFlat(
  root: string,
  { folder, list, classes }: FlatFolder,
  others: OtherFiles,
  task: Listing,
): AsyncGenerator<Item | Fault> {
  const classOf = readList(list, classes);
  const loose = await listLoose(join(root, folder), task);
  const onDisk = new Map(loose.map((file) => [file.normalize(), file]));
  for (const [file, className] of classOf)
    yield describeFile(root, `${folder}/${onDisk.get(file) ?? file}`, className, "val");
  for (const [listed, file] of onDisk)
    if (!classOf.has(listed)) yield { name: `${folder}/${file}`, reason: `not in ${basename(list)}` };
  for (const entry of await readFolder(join(root, folder), task))
    if (
      entry.isFile() &&
      !isPassedOver(entry.name) &&
      !hasPictureExtension(entry.name) &&
      !classOf.has(entry.name.normalize())
    )
      if (join(root, folder, entry.name) !== list) others.add(entry.name);
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

/** Class by file name, composed. val.txt: `file class` or `file number`; LOC_val_solution.csv: `picture,class box …`. */
function readList(path: string, classes: readonly string[]): ReadonlyMap<string, string> {
  const classOf = new Map<string, string>();
  const isKaggle = extname(path) === ".csv";
  const composed = classes.map((name) => name.normalize());
  const known = new Set(composed);
  const spaced = composed.filter((name) => /\s/.test(name));
  readLines(path).forEach((text, i) => {
    const line = text.normalize();
    if (line.trim() === "" || (isKaggle && i === 0)) return;
    const fail = (what: string) =>
      new AlexnetError("damaged-file", `${path}: line ${i + 1} ${what}: ${line.slice(0, 80)}`);
    const [file, label] = isKaggle ? kaggleFields(line) : fieldsOf(line.trim(), spaced);
    if (file === undefined || label === undefined) throw fail("names no file and class");
    const className = known.has(label) || !/^\d+$/.test(label) ? label : composed[Number(label)];
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
