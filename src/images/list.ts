import { type Dirent, statSync } from "node:fs";
import { readdir, realpath, stat } from "node:fs/promises";
import { extname, join, sep } from "node:path";
import { AlexnetError } from "../errors.js";

/** Extensions of files that are meant as pictures, readable here or not, in lower case. */
export const pictureExtensions: ReadonlySet<string> = new Set(
  "jpg jpeg jpe jfif png webp avif gif tif tiff heic heif bmp svg".split(" ").map((name) => `.${name}`),
);

export function hasPictureExtension(name: string): boolean {
  return pictureExtensions.has(extname(name).toLowerCase());
}

/**
 * The picture files that some paths stand for: a file stands for itself whatever its name, a folder for all pictures
 * below it, sorted by code points. Links are followed, loops once.
 * @throws AlexnetError "data" for a path that doesn't exist or can't be read.
 */
export async function listPictures(paths: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const path of paths) {
    if (await isFolder(path)) for await (const file of walk(path)) found.push(join(path, file));
    else found.push(path);
  }
  return found;
}

/**
 * Names of the picture files below a folder, relative to it with "/" between, in a fixed order. What can't be entered
 * is given to `onUnreadable`; other files and hidden ones to nobody.
 */
export async function* walk(
  folder: string,
  onUnreadable: (name: string, error: unknown) => void = (_, error) => {
    throw error;
  },
): AsyncGenerator<string> {
  yield* walkBelow(folder, "", [await realpath(folder)], onUnreadable);
}

async function* walkBelow(
  root: string,
  prefix: string,
  ancestors: readonly string[],
  onUnreadable: (name: string, error: unknown) => void,
): AsyncGenerator<string> {
  let entries: Dirent[];
  try {
    entries = await readdir(join(root, prefix), { withFileTypes: true });
  } catch (error) {
    onUnreadable(prefix, error);
    return;
  }
  entries.sort((a, b) => compareCodePoints(a.name, b.name));
  for (const entry of entries) {
    if (entry.name.startsWith(".")) continue;
    const name = prefix === "" ? entry.name : `${prefix}/${entry.name}`;
    const kind = kindOf(entry, join(root, name));
    if (kind === "file" && hasPictureExtension(entry.name)) yield name;
    if (kind !== "folder") continue;
    const real = await realpath(join(root, name));
    const isLoop = ancestors.some((ancestor) => ancestor === real || ancestor.startsWith(real + sep));
    if (!isLoop) yield* walkBelow(root, name, [...ancestors, real], onUnreadable);
  }
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
    throw new AlexnetError("data", `${path}: no such file or folder, or no permission to read it`, { cause: error });
  }
}

/** Order that no locale changes. */
export function compareCodePoints(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
