import { type Dirent, statSync } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import { extname, join, sep } from "node:path";
import { AlexnetError } from "../errors.js";
import { readFolder } from "../system/folder.js";
import { type Task, throwIfStopped } from "../task.js";
import type { OtherFiles } from "./other-files.js";

/** Extensions of files that are meant as pictures, readable here or not, in lower case. */
export const pictureExtensions: ReadonlySet<string> = new Set(
  ("jpg jpeg jpe jfif mpo png apng webp avif avifs gif tif tiff ppm pgm pbm pnm heic heif hif " + "bmp svg jp2 j2k jxl")
    .split(" ")
    .map((name) => `.${name}`),
);

/** What archives and systems put beside people's pictures: waste bins, and previews of the pictures that are there. */
const systemNames = new Set([
  "__MACOSX",
  "@eaDir",
  "#recycle",
  "@Recycle",
  "$RECYCLE.BIN",
  "lost+found",
  "System Volume Information",
  "Thumbs.db",
  "ehthumbs.db",
  "desktop.ini",
]);

/** Whether a file or folder is none of the user's: hidden, or a system's own. */
export function isPassedOver(name: string): boolean {
  return name.startsWith(".") || systemNames.has(name);
}

export function hasPictureExtension(name: string): boolean {
  return pictureExtensions.has(extname(name).toLowerCase());
}

/**
 * The picture files that some paths stand for: a file stands for itself whatever its name, a folder for all pictures
 * below it, sorted by code points. Links are followed, to each folder once.
 * @param others gets the files below folders that are no pictures by their names
 * @throws AlexnetError "not-found" for a path that doesn't exist or can't be read, "interrupted" once the signal is given.
 */
export async function listPictures(
  paths: readonly string[],
  others: OtherFiles,
  task: Pick<Task, "signal">,
): Promise<string[]> {
  const visitor = { unreadable: throwUnlessSpecial, other: (name: string) => others.add(name) };
  const found: string[] = [];
  for (const path of paths) {
    if (await isFolder(path)) for await (const file of walk(path, visitor, task)) found.push(join(path, file));
    else found.push(path);
  }
  return found;
}

/** Pipes and devices are passed over. */
function throwUnlessSpecial(_: string, error: unknown): void {
  if (!(error instanceof AlexnetError)) throw error;
}

/** Who hears of what is no picture file; hidden files and those of systems are nobody's. */
export interface Visitor {
  /** What can't be entered, or has a picture's name and is no file. */
  unreadable(name: string, error: unknown): void;
  /** A file that is no picture by its name. */
  other(name: string): void;
}

/** Names of the picture files below a folder, relative to it with "/" between, in a fixed order. */
export async function* walk(folder: string, visitor: Visitor, task: Pick<Task, "signal">): AsyncGenerator<string> {
  yield* walkBelow(folder, "", false, [], new Set(), visitor, task);
}

/** `seen`: folders walked so far. No link is followed to them: a few dozen links can lead along billions of paths. */
async function* walkBelow(
  root: string,
  prefix: string,
  isLink: boolean,
  ancestors: readonly string[],
  seen: Set<string>,
  visitor: Visitor,
  task: Pick<Task, "signal">,
): AsyncGenerator<string> {
  let entries: readonly Dirent[];
  let real: string;
  try {
    real = await realpath(join(root, prefix));
    if (isLink && (seen.has(real) || ancestors.some((ancestor) => contains(real, ancestor)))) return;
    entries = await readFolder(join(root, prefix), task);
  } catch (error) {
    throwIfStopped(task, `listing ${root}`);
    visitor.unreadable(prefix, error);
    return;
  }
  seen.add(real);
  for (const entry of entries) {
    if (isPassedOver(entry.name)) continue;
    const name = prefix === "" ? entry.name : `${prefix}/${entry.name}`;
    const kind = kindOf(entry, join(root, name));
    if (kind === "folder")
      yield* walkBelow(root, name, entry.isSymbolicLink(), [...ancestors, real], seen, visitor, task);
    else if (!hasPictureExtension(entry.name)) {
      if (kind === "file") visitor.other(name);
    } else if (kind === "file") yield name;
    else visitor.unreadable(name, new AlexnetError("unusable-data", "neither a file nor a folder"));
  }
}

/** Whether a folder is another one or above it; both by their real paths. */
export function contains(folder: string, other: string): boolean {
  return other === folder || other.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

/** Follows links; a link that leads nowhere counts as a file, so that somebody hears of it when it is read. */
function kindOf(entry: Dirent, path: string): "file" | "folder" | "other" {
  if (!entry.isSymbolicLink()) return entry.isFile() ? "file" : entry.isDirectory() ? "folder" : "other";
  try {
    const target = statSync(path);
    return target.isFile() ? "file" : target.isDirectory() ? "folder" : "other";
  } catch {
    return "file";
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    throw new AlexnetError("not-found", `${path}: no such file or folder, or no permission to read it`, {
      cause: error,
    });
  }
}
