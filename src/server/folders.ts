import { mkdirSync, readdirSync, realpathSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve, sep } from "node:path";
import { squareOf } from "../drawing/pixels.js";
import { drawSheet, inRows, type Tile } from "../drawing/sheet.js";
import { AlexnetError } from "../errors.js";
import { loadPicture } from "../images/picture.js";
import { detectSource } from "../store/sources/detect.js";
import type { FolderListing, FolderPreview } from "./api-types.js";
import { dataUri } from "./explore.js";
import { HttpProblem } from "./problems.js";

const SHOWN_CLASSES = 12;
const SHOWN_OF_EACH = 4;
const TILE = 72; // pixels
const LISTED = 2000; // folders of one listing
const COUNTED = 200_000; // pictures that a preview counts at the most

/**
 * The folders that a browser may choose among: those below one, however their names are written. What a path leads to is
 * looked up on disk, links followed, before it is compared.
 */
export class Folders {
  readonly #root: string;

  constructor(root: string) {
    this.#root = realpathSync(resolve(root));
  }

  /** @throws HttpProblem 404 for what is not there, or not below the root */
  inside(path: string | undefined): string {
    let real: string;
    try {
      real = realpathSync(path === undefined ? this.#root : resolve(this.#root, path));
    } catch {
      throw new HttpProblem(404, "There is no such folder here.");
    }
    if (real !== this.#root && !real.startsWith(this.#root.endsWith(sep) ? this.#root : this.#root + sep))
      throw new HttpProblem(404, "There is no such folder here.");
    return real;
  }

  list(path: string | undefined): FolderListing {
    const folder = this.#folder(path);
    const entries = readdirSync(folder, { withFileTypes: true }).filter(({ name }) => !name.startsWith("."));
    const folders = entries
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => ({ name, path: join(folder, name) }))
      .sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }))
      .slice(0, LISTED);
    return {
      path: folder,
      parent: folder === this.#root ? null : dirname(folder),
      folders,
      pictures: entries.filter((entry) => entry.isFile()).length,
    };
  }

  /** What training would find: the same code looks. */
  async preview(path: string, signal: AbortSignal): Promise<FolderPreview> {
    const folder = this.#folder(path);
    const source = await detectSource(folder, {}, { signal });
    const counts = new Map<string, number>();
    const shown = new Map<string, string[]>();
    const warnings: string[] = [];
    let pictures = 0;
    for await (const item of source.items({ signal })) {
      if ("reason" in item) continue;
      counts.set(item.className, (counts.get(item.className) ?? 0) + 1);
      const own = shown.get(item.className) ?? [];
      if (own.length < SHOWN_OF_EACH && item.place.kind === "file")
        shown.set(item.className, [...own, item.place.path]);
      if (++pictures >= COUNTED) {
        warnings.push(`There are more pictures than the ${COUNTED.toLocaleString("en")} that were counted.`);
        break;
      }
    }
    warnings.push(...(source.notes ?? []));
    const classes = [...counts]
      .map(([name, count]) => ({ name, pictures: count }))
      .sort((a, b) => b.pictures - a.pictures);
    const sheet = await contactSheet(classes.slice(0, SHOWN_CLASSES).map(({ name }) => shown.get(name) ?? []));
    return { path: folder, classes, pictures, warnings, ...(sheet && { sheet }) };
  }

  #folder(path: string | undefined): string {
    const folder = this.inside(path);
    if (!statSync(folder).isDirectory()) throw new HttpProblem(404, "There is no such folder here.");
    return folder;
  }
}

/** A row for each class; pictures that can't be read are left out. */
async function contactSheet(rows: readonly (readonly string[])[]): Promise<string | undefined> {
  const tiles: Tile[][] = [];
  for (const paths of rows) {
    const row: Tile[] = [];
    for (const path of paths)
      try {
        row.push({ pixels: squareOf(TILE, await loadPicture(path, { size: TILE })) });
      } catch (error) {
        if (!(error instanceof AlexnetError)) throw error;
      }
    tiles.push(row);
  }
  const flat = tiles.flat();
  if (flat.length === 0) return undefined;
  const { png } = await drawSheet(inRows(flat, 12), { width: TILE, height: TILE, gap: 4 });
  return dataUri(png);
}

/**
 * Sets that are made of pictures dropped on the page: a folder for each class, beside the runs. Names become names of
 * files, nothing else.
 */
export class DroppedSets {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  /** @returns the set's folder */
  add(set: string, label: string, name: string, bytes: Uint8Array): string {
    const folder = join(this.#root, plain(set));
    const own = join(folder, plain(label));
    mkdirSync(own, { recursive: true });
    for (let number = 0; ; number++) {
      const path = join(own, number === 0 ? plain(name) : `${number}-${plain(name)}`);
      try {
        writeFileSync(path, bytes, { flag: "wx" }); // nothing is written over
        return folder;
      } catch (error) {
        if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
      }
    }
  }
}

/** A name that is one step of a path. @throws HttpProblem 400 */
function plain(name: string): string {
  const step = basename(name.normalize("NFC").replaceAll("\\", "/")).trim();
  const hasControl = [...step].some((character) => character < " ");
  if (step === "" || step === "." || step === ".." || step.length > 120 || hasControl || /[<>:"|?*]/.test(step))
    throw new HttpProblem(400, `${JSON.stringify(name)} can't be the name of a file.`);
  return step;
}
