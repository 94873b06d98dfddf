import { type Dirent, statSync } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import { extname, join, sep } from "node:path";
import { AlexnetError } from "../errors.js";
import { readFolder } from "../system/folder.js";
import { type Task, throwIfStopped } from "../task.js";

/** Extensions of files that are meant as pictures, readable here or not, in lower case. */
export const pictureExtensions: ReadonlySet<string> = new Set(
  (
    "jpg jpeg jpe jfif mpo png webp avif gif tif tiff ppm pgm pbm pnm heic heif bmp svg jp2 jxl " +
    "cr2 cr3 nef arw dng orf rw2 raf"
  )
    .split(" ")
    .map((name) => `.${name}`),
);

/** What archives and systems put beside people's pictures: waste bins, and previews of the pictures that are there. */
const systemFolders = new Set([
  "__MACOSX",
  "@eaDir",
  "#recycle",
  "@Recycle",
  "$RECYCLE.BIN",
  "lost+found",
  "System Volume Information",
]);

/** Whether a file or folder is none of the user's: hidden, or a system's own. */
export function isPassedOver(name: string): boolean {
  return name.startsWith(".") || systemFolders.has(name);
}

export function hasPictureExtension(name: string): boolean {
  return pictureExtensions.has(extname(name).toLowerCase());
}

/**
 * The picture files that some paths stand for: a file stands for itself whatever its name, a folder for all pictures
 * below it, sorted by code points. Links are followed, to each folder once.
 * @throws AlexnetError "not-found" for a path that doesn't exist or can't be read, "interrupted" once the signal is given.
 */
export async function listPictures(paths: readonly string[], task: Pick<Task, "signal">): Promise<string[]> {
  const found: string[] = [];
  for (const path of paths) {
    if (await isFolder(path))
      for await (const file of walk(path, throwUnlessSpecial, task)) found.push(join(path, file));
    else found.push(path);
  }
  return found;
}

/** Pipes and devices are passed over. */
function throwUnlessSpecial(_: string, error: unknown): void {
  if (!(error instanceof AlexnetError)) throw error;
}

/**
 * Names of the picture files below a folder, relative to it with "/" between, in a fixed order. What can't be entered
 * or is no file, whatever its name says, is given to `onUnreadable`; other files and hidden ones to nobody.
 */
export async function* walk(
  folder: string,
  onUnreadable: (name: string, error: unknown) => void,
  task: Pick<Task, "signal">,
): AsyncGenerator<string> {
  yield* walkBelow(folder, "", false, [], new Set(), onUnreadable, task);
}

/** `seen`: folders walked so far. No link is followed to them: a few dozen links can lead along billions of paths. */
async function* walkBelow(
  root: string,
  prefix: string,
  isLink: boolean,
  ancestors: readonly string[],
  seen: Set<string>,
  onUnreadable: (name: string, error: unknown) => void,
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
    onUnreadable(prefix, error);
    return;
  }
  seen.add(real);
  for (const entry of entries) {
    if (isPassedOver(entry.name)) continue;
    const name = prefix === "" ? entry.name : `${prefix}/${entry.name}`;
    const kind = kindOf(entry, join(root, name));
    if (kind === "folder")
      yield* walkBelow(root, name, entry.isSymbolicLink(), [...ancestors, real], seen, onUnreadable, task);
    else if (!hasPictureExtension(entry.name)) continue;
    else if (kind === "file") yield name;
    else onUnreadable(name, new AlexnetError("unusable-data", "neither a file nor a folder"));
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
