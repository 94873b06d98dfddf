import { basename } from "node:path";
import { z } from "zod";
import { AlexnetError } from "../../errors.js";
import { describeFault } from "../../images/picture.js";
import type { Task } from "../../task.js";
import { enumerate } from "../../text.js";
import { stampOf } from "./archive.js";
import { findArchives } from "./archive-files.js";
import { ParquetReader } from "./parquet-reader.js";
import type { ParquetDescription } from "./parquet-thread.js";
import { compareNumerically, type Fault, type Item, type Source, type SourceChoices } from "./source.js";

/** What Hugging Face's `datasets` writes into a file's metadata about its columns, each in a form of its own. */
const description = z.object({ info: z.object({ features: z.record(z.string(), z.unknown()) }) });
/** Columns of other types are described in other ways: structs by their fields, lists by an array. */
const feature = z.object({ _type: z.string(), names: z.array(z.string()).optional() });

const COPIES = 3.5; // of a row group, packed and unpacked, while it is read: measured

const IMAGE_COLUMNS = ["image", "img"];
const LABEL_COLUMNS = ["label", "labels", "fine_label", "class"]; // in the order of preference

/**
 * Parquet as Hugging Face ships picture sets: an image column with `bytes`, a label column, class names in the
 * metadata. `path` is a file, or a folder (or its `data` folder) of `train-….parquet`, `validation-….parquet`, or of
 * folders train and validation.
 * @throws AlexnetError "invalid-option" for a column that isn't there; "unusable-data" where none can be found, or
 * several and none is preferred by its name; "classes-differ" where the files have not the same class names
 */
export async function openParquet(
  path: string,
  choices: SourceChoices,
  task: Pick<Task, "signal">,
): Promise<Source | undefined> {
  const { paths, splitOf, notes } = await findArchives(path, ".parquet", choices, task);
  if (paths.length === 0) return undefined;
  const files = await describeAll(paths);
  const [first] = files.values();
  if (first === undefined) throw new AlexnetError("unusable-data", `${path}: no Parquet file that can be read`);
  const columns = findColumns(first.description, first.path, choices);
  const names = commonNames(files.values(), columns);
  return {
    kind: "Parquet files",
    path,
    compareClasses: names === undefined ? compareNumerically : (a, b) => names.indexOf(a) - names.indexOf(b),
    titles: new Map(),
    columns: { image: columns.image, label: columns.label },
    notes: [...notes, `pictures of the column ${columns.image}, classes of ${columns.label}${columns.others}`],
    bytesPerThread: COPIES * Math.max(...[...files.values()].map(({ description: { groupBytes } }) => groupBytes)),
    async *items() {
      const reader = new ParquetReader();
      try {
        for (const file of paths)
          yield* listFile(reader, file, columns, files.get(file)?.description, names, splitOf(file));
      } finally {
        await reader.close();
      }
    },
  };
}

interface ParquetFile {
  readonly path: string;
  readonly description: ParquetDescription;
}

/** Of all files that can be read; one that is damaged is named when it is listed. */
async function describeAll(paths: readonly string[]): Promise<ReadonlyMap<string, ParquetFile>> {
  const files = new Map<string, ParquetFile>();
  const reader = new ParquetReader();
  let fault: AlexnetError | undefined;
  for (const path of paths) {
    try {
      files.set(path, { path, description: await reader.describe(path) });
    } catch (error) {
      fault ??= new AlexnetError("damaged-file", `${path}: damaged Parquet file: ${describeFault(error)}`);
    }
  }
  await reader.close();
  if (files.size === 0 && fault !== undefined) throw fault;
  return files;
}

interface Columns {
  readonly image: string;
  readonly label: string;
  /** For people: the columns that could have been meant as well. */
  readonly others: string;
}

type Feature = z.infer<typeof feature>;

/** The columns that the metadata describes in a way that is known here. */
function featuresOf({ huggingface }: ParquetDescription): ReadonlyMap<string, Feature> {
  const all = description.safeParse(parseJson(huggingface)).data?.info.features ?? {};
  return new Map(
    Object.entries(all).flatMap(([name, value]) => {
      const known = feature.safeParse(value);
      return known.success ? [[name, known.data] as const] : [];
    }),
  );
}

function findColumns(file: ParquetDescription, path: string, wanted: SourceChoices): Columns {
  const features = featuresOf(file);
  const typed = (type: string) => [...features].filter(([, { _type }]) => _type === type).map(([name]) => name);
  const image = choose("image", wanted.imageColumn, typed("Image"), IMAGE_COLUMNS, file.names, path);
  const label = choose("label", wanted.labelColumn, typed("ClassLabel"), LABEL_COLUMNS, file.names, path);
  const others = [...image.others, ...label.others];
  return {
    image: image.name,
    label: label.name,
    others: others.length === 0 ? "" : `; not of ${others.join(", ")}`,
  };
}

/** The column that is wanted; the one of the right type, preferred by its name if there are several; or one by its name. */
function choose(
  what: "image" | "label",
  wanted: string | undefined,
  typed: readonly string[],
  preferred: readonly string[],
  present: readonly string[],
  path: string,
): { readonly name: string; readonly others: readonly string[] } {
  const option = `${what}Column`;
  if (wanted !== undefined && !present.includes(wanted))
    throw new AlexnetError("invalid-option", `${path}: has no column ${wanted}`, {
      hint: { advice: `give one of ${present.join(", ")}`, option },
    });
  const hint = { advice: "name it", option };
  const found = wanted ?? (typed.length === 1 ? typed[0] : preferred.find((name) => typed.includes(name)));
  const name = found ?? (typed.length === 0 ? preferred.find((column) => present.includes(column)) : undefined);
  if (name === undefined && typed.length > 1)
    throw new AlexnetError(
      "unusable-data",
      `${path}: ${typed.join(" and ")} are ${what} columns, and none is named ${preferred[0]}`,
      { hint },
    );
  if (name === undefined || !present.includes(name))
    throw new AlexnetError(
      "unusable-data",
      `${path}: no ${what} column among ${present.join(", ")}; ` +
        `understood: ${IMAGE_COLUMNS.join(" or ")} with bytes, and ${LABEL_COLUMNS.join(" or ")}`,
      { hint },
    );
  return { name, others: typed.filter((other) => other !== name) };
}

/** The class names of one file, by their numbers; undefined where it has none. */
function namesOf(file: ParquetDescription, { label }: Columns): readonly string[] | undefined {
  return unique(featuresOf(file).get(label)?.names);
}

/** The first file's names in their order. The others may number them otherwise, but must have the same. */
function commonNames(files: Iterable<ParquetFile>, columns: Columns): readonly string[] | undefined {
  let first: { readonly path: string; readonly names: readonly string[] } | undefined;
  for (const { path, description: file } of files) {
    const names = namesOf(file, columns);
    if (names === undefined) continue;
    first ??= { path, names };
    const known = new Set(first.names);
    if (names.length === known.size && names.every((name) => known.has(name))) continue;
    const own = names.filter((name) => !known.has(name));
    const missing = [...known].filter((name) => !names.includes(name));
    throw new AlexnetError(
      "classes-differ",
      `${path}: its classes are not those of ${first.path}: ${[
        ...(own.length > 0 ? [`only here ${enumerate(own, 5)}`] : []),
        ...(missing.length > 0 ? [`only there ${enumerate(missing, 5)}`] : []),
      ].join("; ")}`,
    );
  }
  return first?.names;
}

/** Classes of the same name are told apart by their numbers: ImageNet has two kinds of crane. */
function unique(names: readonly string[] | undefined): readonly string[] | undefined {
  const composed = names?.map((name) => name.normalize());
  const isRepeated = (name: string) => composed?.indexOf(name) !== composed?.lastIndexOf(name);
  return composed?.map((name, number) => (isRepeated(name) ? `${name} (${number})` : name));
}

/** @param known its description, unless it is damaged; @param common the classes of all files, for one that has none */
async function* listFile(
  reader: ParquetReader,
  path: string,
  columns: Columns,
  known: ParquetDescription | undefined,
  common: readonly string[] | undefined,
  split: Item["split"],
): AsyncGenerator<Item | Fault> {
  const file = basename(path);
  try {
    const stamp = stampOf(path);
    const description = known ?? (await reader.describe(path));
    const missing = [columns.image, columns.label].find((column) => !description.names.includes(column));
    if (missing !== undefined) {
      yield { name: file, reason: `has no column ${missing}, as the other files have`, isPartial: true };
      return;
    }
    const names = namesOf(description, columns) ?? common;
    let first = 0;
    for (const [group, rows] of description.groups.entries()) {
      const labels = await reader.readColumn(path, columns.label, group, true);
      for (const [row, label] of labels.entries()) {
        const name = `${file}#${first + row}`;
        const className = nameOf(label, names);
        const place = { kind: "row", path, column: columns.image, group, row } as const;
        if (className === undefined)
          yield { name, reason: `no class in this row${label === null ? "" : described(label, names)}` };
        else yield { name, className, split, place, stamp };
      }
      first += rows;
    }
  } catch (error) {
    yield { name: file, reason: `damaged Parquet file: ${describeFault(error)}`, isPartial: true };
  }
}

/** What is in the place of a class. */
function described(label: unknown, names: readonly string[] | undefined): string {
  if (Array.isArray(label)) return ", but a list";
  const isNumber = typeof label === "number" || typeof label === "bigint";
  if (isNumber && label >= 0)
    // Hugging Face's number for no class is -1
    return `, but the number ${label} of ${names?.length ?? 0} names`;
  return typeof label === "object" ? ", but several fields" : "";
}

function nameOf(label: unknown, names: readonly string[] | undefined): string | undefined {
  if (typeof label === "string") return label === "" ? undefined : label;
  if (typeof label === "boolean") return String(label);
  if (typeof label !== "number" && typeof label !== "bigint") return undefined;
  return names === undefined ? String(label) : names[Number(label)];
}

/** Gives picture files by their rows. The latest row group is kept: neighbours are asked for one after the other. */
export class ParquetRows {
  readonly #reader = new ParquetReader();
  #group: { readonly key: string; readonly pictures: Promise<readonly unknown[]> } | undefined;

  /** @throws AlexnetError "unusable-data" where there is none, or the file can't be read */
  async read(path: string, column: string, group: number, row: number): Promise<Uint8Array> {
    const key = `${path}#${group}`;
    if (this.#group?.key !== key) this.#group = { key, pictures: this.#reader.readColumn(path, column, group, false) };
    const bytes = (await this.#group.pictures)[row];
    if (bytes instanceof Uint8Array) return bytes;
    const found = typeof bytes === "string" ? `, only its path or name: ${bytes.slice(0, 80)}` : "";
    throw new AlexnetError("unusable-data", `no picture in this row${found}`);
  }

  close(): Promise<void> {
    return this.#reader.close();
  }
}

function parseJson(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
