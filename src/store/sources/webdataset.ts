import { existsSync } from "node:fs";
import { basename, dirname } from "node:path";
import { expand } from "brace-expansion";
import { AlexnetError } from "../../errors.js";
import { hasPictureExtension, pictureExtensions } from "../../images/list.js";
import { OtherFiles } from "../../images/other-files.js";
import type { Split } from "../../network/picture.js";
import type { Task } from "../../task.js";

import { listArchive, placeOf, untilDamaged } from "./archive.js";
import { type ArchiveFiles, arrange, findArchives } from "./archive-files.js";
import { compareNumerically, type Fault, type Item, type Source, type SourceChoices } from "./source.js";
import { type Bytes, readTar, type TarEntry } from "./tar.js";
import { readTitles } from "./titles.js";

const LABEL_FIELDS = ["label", "cls", "class", "class_name", "class_id"]; // of a .json beside a picture
const LABELS: ReadonlySet<string> = new Set(["cls", "cls.txt", "json", "txt"]); // extensions of files that describe a picture
const LONGEST_LABEL = 1 << 20; // bytes

/**
 * WebDataset shards: tars in which the files of one sample follow each other and share a key: `000123.jpg` with
 * `000123.cls` or `000123.json`. `path` is a shard, a folder of shards (or of folders train and val of shards), or
 * several by a brace pattern.
 */
export async function openWebDataset(
  path: string,
  choices: SourceChoices,
  task: Pick<Task, "signal">,
): Promise<Source | undefined> {
  const { paths, splitOf, notes } = await findShards(path, choices, task);
  const [first] = paths;
  if (first === undefined) return undefined;
  const others = new OtherFiles();
  return {
    kind: "WebDataset shards",
    path,
    compareClasses: compareNumerically,
    titles: readTitles(dirname(first)),
    get notes() {
      return [...notes, ...[others.describe() ?? []].flat()];
    },
    *items() {
      others.clear();
      for (const shard of paths)
        yield* listArchive(shard, (file, stamp) => listShard(file, shard, stamp, splitOf(shard), others));
    },
  };
}

async function findShards(path: string, choices: SourceChoices, task: Pick<Task, "signal">): Promise<ArchiveFiles> {
  if (existsSync(path) || !/\{.*\}.*\.tar$/.test(path)) return findArchives(path, ".tar", choices, task);
  const shards = expand(path);
  const missing = shards.find((shard) => !existsSync(shard));
  if (missing !== undefined) throw new AlexnetError("not-found", `${missing}: no such shard, named by ${path}`);
  return arrange(shards, choices);
}

/** The files of one sample. */
interface Sample {
  readonly key: string;
  readonly files: Map<string, TarEntry>; // by extension: all behind the key's dot
}

function* listShard(
  file: Bytes,
  path: string,
  stamp: string,
  split: Split | undefined,
  others: OtherFiles,
): Generator<Item | Fault> {
  const shard = basename(path);
  yield* untilDamaged(shard, samples(readTar(file)), function* (sample) {
    const pictures = picturesOf(sample);
    if (pictures.length === 0)
      for (const [extension, { path: entry }] of sample.files) if (!LABELS.has(extension)) others.add(entry);
    for (const [extension, picture] of pictures) {
      const name = `${shard}!${picture.path}`;
      const rest = extension.slice(0, extension.lastIndexOf(".") + 1); // "left." of "left.jpg"
      const className = (rest === "" ? undefined : readLabel(file, sample, rest)) ?? readLabel(file, sample, "");
      const key = `${sample.key}.${rest}`;
      if (picture.fault !== undefined) {
        yield { name, reason: picture.fault };
        continue;
      }
      if (className !== undefined) yield { name, className, split, place: placeOf(picture, path), stamp };
      else yield { name, reason: `no class: neither ${key}cls nor a label in ${key}json, next to it` };
    }
  });
}

/** The picture named by the key alone; or all those with more before their extensions, where keys have dots in them. */
function picturesOf({ files }: Sample): readonly (readonly [extension: string, picture: TarEntry])[] {
  const plain = [...files].find(([extension]) => pictureExtensions.has(`.${extension}`));
  return plain !== undefined ? [plain] : [...files].filter(([extension]) => hasPictureExtension(`x.${extension}`));
}

function* samples(entries: Iterable<TarEntry>): Generator<Sample> {
  let sample: Sample | undefined;
  try {
    for (const entry of entries) {
      const start = entry.path.lastIndexOf("/") + 1;
      const dot = entry.path.indexOf(".", start);
      if (dot <= start) continue; // without extension, or hidden
      const [key, extension] = [entry.path.slice(0, dot), entry.path.slice(dot + 1).toLowerCase()];
      if (sample?.key !== key || sample.files.has(extension)) {
        if (sample !== undefined) yield sample;
        sample = { key, files: new Map() };
      }
      sample.files.set(extension, entry);
    }
  } catch (error) {
    if (sample !== undefined) yield sample; // whole, as what is damaged comes behind it
    throw error;
  }
  if (sample !== undefined) yield sample;
}

function readLabel(file: Bytes, { files }: Sample, prefix: string): string | undefined {
  const read = (extension: string) => {
    const entry = files.get(prefix + extension);
    return entry === undefined || entry.fault !== undefined || entry.length > LONGEST_LABEL
      ? undefined
      : file.read(entry.offset, entry.length).toString("utf8").trim();
  };
  const text = read("cls") ?? read("cls.txt");
  if (text) return text;
  const json = read("json");
  return json === undefined ? undefined : labelInJson(json);
}

function labelInJson(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "number" || typeof value === "string") return String(value);
    if (typeof value !== "object" || value === null) return undefined;
    const fields = new Map<string, unknown>(Object.entries(value));
    const label = LABEL_FIELDS.map((field) => fields.get(field)).find((found) => found !== undefined && found !== null);
    return typeof label === "number" || typeof label === "string" ? String(label) : undefined;
  } catch {
    return undefined;
  }
}
