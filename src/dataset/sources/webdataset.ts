import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { expand } from "brace-expansion";
import { AlexnetError } from "../../errors.js";
import { pictureExtensions } from "../../images/list.js";
import type { Split } from "../database.js";
import { placeOf, stampOf, untilDamaged } from "./archive.js";
import {
  compareNumerically,
  type Fault,
  type Item,
  type Source,
  splitOfName,
  tellSplits,
  withoutTests,
} from "./source.js";
import { type Bytes, readTar, type TarEntry, withFile } from "./tar.js";
import { readTitles } from "./titles.js";

const LABEL_FIELDS = ["label", "cls", "class", "class_name", "class_id"]; // of a .json beside a picture
const LONGEST_LABEL = 1 << 20; // bytes

/**
 * WebDataset shards: tars in which the files of one sample follow each other and share a key: `000123.jpg` with
 * `000123.cls` or `000123.json`. `path` is a shard, a folder of shards, or several by a brace pattern.
 */
export function openWebDataset(path: string): Source | undefined {
  const shards = withoutTests(findShards(path));
  if (shards.length === 0) return undefined;
  const divided = tellSplits(shards.map((shard) => basename(shard)));
  return {
    kind: "WebDataset shards",
    path,
    compareClasses: compareNumerically,
    titles: readTitles(dirname(shards[0])),
    *items() {
      for (const shard of shards)
        yield* withFile(shard, (file) => listShard(file, shard, divided ? splitOfName(basename(shard)) : undefined));
    },
  };
}

function findShards(path: string): readonly string[] {
  if (!existsSync(path)) {
    if (!/\{.*\}.*\.tar$/.test(path)) return [];
    const shards = expand(path);
    const missing = shards.find((shard) => !existsSync(shard));
    if (missing !== undefined) throw new AlexnetError("data", `${missing}: no such shard, named by ${path}`);
    return shards;
  }
  if (!statSync(path).isDirectory()) return path.endsWith(".tar") ? [path] : [];
  return readdirSync(path)
    .filter((name) => name.endsWith(".tar"))
    .sort()
    .map((name) => join(path, name));
}

/** The files of one sample. */
interface Sample {
  readonly key: string;
  readonly files: Map<string, TarEntry>; // by extension
}

function* listShard(file: Bytes, path: string, split: Split | undefined): Generator<Item | Fault> {
  const shard = basename(path);
  const stamp = stampOf(path);
  yield* untilDamaged(shard, samples(readTar(file)), function* (sample) {
    const picture = [...sample.files].find(([extension]) => pictureExtensions.has(`.${extension}`))?.[1];
    if (picture === undefined) return; // text or sound: nothing to look at
    const name = `${shard}!${picture.path}`;
    const className = readLabel(file, sample);
    if (className !== undefined) yield { name, className, split, place: placeOf(picture, path), stamp };
    else yield { name, reason: `no class: neither ${sample.key}.cls nor a label in ${sample.key}.json` };
  });
}

function* samples(entries: Iterable<TarEntry>): Generator<Sample> {
  let sample: Sample | undefined;
  try {
    for (const entry of entries) {
      const dot = entry.path.indexOf(".", entry.path.lastIndexOf("/") + 1);
      if (dot < 0) continue;
      const [key, extension] = [entry.path.slice(0, dot), entry.path.slice(dot + 1).toLowerCase()];
      if (sample?.key !== key) {
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

function readLabel(file: Bytes, { files }: Sample): string | undefined {
  const read = (extension: string) => {
    const entry = files.get(extension);
    return entry === undefined || entry.length > LONGEST_LABEL
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
