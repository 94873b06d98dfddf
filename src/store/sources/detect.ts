import { existsSync, readdirSync, statSync } from "node:fs";
import { extname, resolve } from "node:path";
import { AlexnetError } from "../../errors.js";
import { describeFault } from "../../images/picture.js";
import type { Task } from "../../task.js";
import { openIlsvrcArchives } from "./ilsvrc-archives.js";
import { openImageFolder } from "./image-folder.js";
import { openParquet } from "./parquet.js";
import { type Source, type SourceChoices, understood } from "./source.js";
import { openWebDataset } from "./webdataset.js";

/**
 * Tells what form of picture set was given by looking at it.
 * @throws AlexnetError "not-found" where nothing is there, "unusable-data" for none that it knows, "invalid-option" for
 * columns of what has none.
 */
export async function detectSource(given: string, choices: SourceChoices, task: Pick<Task, "signal">): Promise<Source> {
  const path = resolve(given);
  const isFolder = existsSync(path) && statSync(path).isDirectory();
  const source = await tryAll(path, isFolder, choices, task);
  if (source !== undefined) return refuseUnusedColumns(source, choices);
  if (choices.part !== undefined && existsSync(path))
    throw new AlexnetError(
      "unusable-data",
      `${path}: no pictures for tests with labels in it, such as test/<class>/ or test-00000.parquet`,
    );
  const code = existsSync(path) ? "unusable-data" : "not-found";
  throw new AlexnetError(code, `${path}: ${describe(path, isFolder)}; ${understood}`);
}

async function tryAll(
  path: string,
  isFolder: boolean,
  choices: SourceChoices,
  task: Pick<Task, "signal">,
): Promise<Source | undefined> {
  try {
    return (
      (choices.part === undefined ? openIlsvrcArchives(path) : undefined) ?? // whose tests have no labels
      (await openParquet(path, choices, task)) ??
      (await openWebDataset(path, choices, task)) ??
      (isFolder ? await openImageFolder(path, choices, task) : undefined)
    );
  } catch (error) {
    if (error instanceof AlexnetError) throw error;
    throw new AlexnetError("not-found", `${path}: ${describeFault(error)}`, { cause: error });
  }
}

function refuseUnusedColumns(source: Source, { imageColumn, labelColumn }: SourceChoices): Source {
  const option = imageColumn !== undefined ? "imageColumn" : "labelColumn";
  if (source.columns === undefined && (imageColumn ?? labelColumn) !== undefined)
    throw new AlexnetError(
      "invalid-option",
      `${source.path}: only Parquet files have columns, these are ${source.kind}`,
      {
        hint: { advice: "leave it out", option },
      },
    );
  return source;
}

function describe(path: string, isFolder: boolean): string {
  if (!existsSync(path)) return "no such file or folder";
  if (!isFolder) return `a single file (${extname(path) || "no extension"}) that is no archive of pictures`;
  const names = readdirSync(path).filter((name) => !name.startsWith("."));
  if (names.length === 0) return "an empty folder";
  const kinds = new Map<string, number>();
  for (const name of names) {
    const kind = extname(name).toLowerCase() || "without extension";
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  const most = [...kinds].sort((a, b) => b[1] - a[1]).slice(0, 3);
  return `no class folders, only files (${most.map(([kind, count]) => `${count} ${kind}`).join(", ")})`;
}
