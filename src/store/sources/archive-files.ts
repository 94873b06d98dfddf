import { type Dirent, existsSync, statSync } from "node:fs";
import { basename, dirname, extname, join } from "node:path";
import { AlexnetError } from "../../errors.js";
import { hasPictureExtension } from "../../images/list.js";
import type { Split } from "../../network/picture.js";
import { readFolder } from "../../system/folder.js";
import type { Task } from "../../task.js";
import type { SourceChoices } from "./source.js";
import { roleOf } from "./split-names.js";

/** Archives of one kind, in order, and which split each belongs to. */
export interface ArchiveFiles {
  readonly paths: readonly string[];
  /** Undefined where names don't tell training and validation apart: then all of them are to be divided. */
  splitOf(path: string): Split | undefined;
  readonly notes: readonly string[];
}

/**
 * The archives with an extension that a path stands for: itself; those in a folder, in its folder data, or in its
 * folders for training and validation.
 */
export async function findArchives(
  path: string,
  extension: string,
  choices: SourceChoices,
  task: Pick<Task, "signal">,
): Promise<ArchiveFiles> {
  if (existsSync(path) && !isFolder(path))
    return arrange(path.toLowerCase().endsWith(extension) ? [path] : [], choices);
  for (const folder of [path, join(path, "data")].filter(isFolder)) {
    const entries = await readFolder(folder, task);
    const bySplit = entries.filter((entry) => entry.isDirectory() && splitOfName(entry.name) !== undefined);
    const hasTraining = bySplit.some(({ name }) => splitOfName(name) === "train");
    const places = hasTraining ? bySplit.map(({ name }) => join(folder, name)) : [folder];
    const inPlaces = await Promise.all(
      places.map((place) => readFolder(place, task).then((found) => [place, found] as const)),
    );
    const paths = inPlaces.flatMap(([place, found]) => listArchives(place, found, extension, hasTraining));
    const compressed = inPlaces
      .flatMap(([, found]) => listCompressed(found))
      .map((name) => `left aside: ${name} (compressed; unpack it)`);
    if (paths.length > 0) {
      const arranged = arrange(paths, choices);
      return { ...arranged, notes: [...arranged.notes, ...compressed] };
    }
  }
  return arrange([], choices);
}

const isFolder = (path: string) => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

/** `alone`: only of a folder that holds nothing else people would mean. Archives may lie beside what was unpacked. */
function listArchives(folder: string, all: readonly Dirent[], extension: string, alone: boolean): string[] {
  const entries = all.filter(({ name }) => !name.startsWith("."));
  if (alone && entries.some((entry) => entry.isDirectory() || hasPictureExtension(entry.name))) return [];
  return entries
    .filter((entry) => !entry.isDirectory() && extname(entry.name).toLowerCase() === extension)
    .map(({ name }) => join(folder, name));
}

/** Compressed archives can't be read in place. */
function listCompressed(entries: readonly Dirent[]): readonly string[] {
  return entries.map(({ name }) => name).filter((name) => /\.(tgz|tbz2?|txz|zip|7z|rar|tar\.\w+)$/i.test(name));
}

/** Files whose names tell splits apart go to them; the tests are left alone when there is a validation set of its own. */
export function arrange(paths: readonly string[], { part }: SourceChoices): ArchiveFiles {
  if (part === "test") {
    const tests = paths.filter((path) => roleOf(nameOf(path)) === "test" || roleOf(nameOrFolderOf(path)) === "test");
    return { paths: tests, splitOf: () => undefined, notes: [] };
  }
  const speaking = [nameOf, nameOrFolderOf].find((name) => tellsApart(paths.map(name)));
  const name = speaking ?? nameOf;
  const unclear = speaking && paths.find((path) => splitOfName(name(path)) === undefined);
  if (unclear !== undefined)
    throw new AlexnetError(
      "unusable-data",
      `${unclear}: neither train nor val in its name, as the others have; rename it or take it away`,
    );
  const isValidation = (path: string) => roleOf(name(path)) === "val";
  const isTest = (path: string) => roleOf(name(path)) === "test";
  const used = paths.some(isValidation) ? paths.filter((path) => !isTest(path)) : paths;
  const left = paths.length - used.length;
  return {
    paths: used,
    splitOf: (path) => speaking && splitOfName(speaking(path)),
    notes: left === 0 ? [] : [`left alone, there being validation files: ${left} of test`],
  };
}

/** Which split a file or folder belongs to by its name. */
function splitOfName(name: string): Split | undefined {
  const role = roleOf(name);
  return role === "test" ? "val" : role;
}

const nameOf = (path: string) => basename(path);
const nameOrFolderOf = (path: string) => basename(splitOfName(basename(path)) === undefined ? dirname(path) : path);

function tellsApart(names: readonly string[]): boolean {
  const splits = new Set(names.map(splitOfName));
  return splits.has("train") && splits.has("val");
}
