import { basename } from "node:path";
import { z } from "zod";
import { AlexnetError } from "../../errors.js";
import { describeFault } from "../../images/picture.js";
import { stampOf } from "./archive.js";
import { findArchives } from "./archive-files.js";
import { ParquetReader } from "./parquet-reader.js";
import type { ParquetDescription } from "./parquet-thread.js";
import { compareNumerically, type Fault, type Item, type Source } from "./source.js";

/** What Hugging Face's `datasets` writes into a file's metadata about its columns. */
const description = z.object({
  info: z.object({
    features: z.record(z.string(), z.object({ _type: z.string(), names: z.array(z.string()).optional() }).loose()),
  }),
});

const COPIES = 3.5; // of a row group, packed and unpacked, while it is read: measured

const IMAGE_COLUMNS = ["image", "img"];
const LABEL_COLUMNS = ["label", "labels", "fine_label", "class"];

/**
 * Parquet as Hugging Face ships picture sets: an image column with `bytes`, a label column, class names in the
 * metadata. `path` is a file, or a folder (or its `data` folder) of `train-….parquet`, `validation-….parquet`, or of
 * folders train and validation.
 */
export async function openParquet(path: string): Promise<Source | undefined> {
  const { paths, splitOf, notes } = findArchives(path, ".parquet");
  if (paths.length === 0) return undefined;
  const { columns, groupBytes } = await firstReadable(paths);
  const { names } = columns;
  return {
    kind: "Parquet files",
    path,
    compareClasses: names === undefined ? compareNumerically : (a, b) => names.indexOf(a) - names.indexOf(b),
    titles: new Map(),
    notes,
    bytesPerThread: COPIES * groupBytes,
    async *items() {
      const reader = new ParquetReader();
      try {
        for (const path of paths) yield* listFile(reader, path, columns, splitOf(path));
      } finally {
        await reader.close();
      }
    },
  };
}

/** The columns of the first file that can be read: all have the same, and one that is damaged is named when listed. */
async function firstReadable(paths: readonly string[]) {
  const reader = new ParquetReader();
  let fault = "no Parquet file";
  try {
    for (const path of paths) {
      const description = await reader.describe(path).catch((error: unknown) => {
        fault = `${path}: damaged Parquet file: ${describeFault(error)}`;
        return undefined;
      });
      if (description !== undefined)
        return { columns: findColumns(description, path), groupBytes: description.groupBytes };
    }
  } finally {
    await reader.close();
  }
  throw new AlexnetError("unusable-data", fault);
}

interface Columns {
  readonly image: string;
  readonly label: string;
  /** Class names in the order of their numbers, where the file has them. */
  readonly names: readonly string[] | undefined;
}

function findColumns({ names: present, huggingface }: ParquetDescription, path: string): Columns {
  const features = Object.entries(description.safeParse(parseJson(huggingface)).data?.info.features ?? {});
  const image =
    features.find(([, { _type }]) => _type === "Image")?.[0] ?? IMAGE_COLUMNS.find((name) => present.includes(name));
  const label =
    features.find(([, { _type }]) => _type === "ClassLabel")?.[0] ??
    LABEL_COLUMNS.find((name) => present.includes(name));
  if (image === undefined || label === undefined)
    throw new AlexnetError(
      "unusable-data",
      `${path}: no ${image === undefined ? "image" : "label"} column among ${present.slice(1).join(", ")}; ` +
        `understood: ${IMAGE_COLUMNS.join(" or ")} with bytes, and ${LABEL_COLUMNS.join(" or ")}`,
    );
  return { image, label, names: unique(features.find(([name]) => name === label)?.[1].names) };
}

/** Classes of the same name are told apart by their numbers: ImageNet has two kinds of crane. */
function unique(names: readonly string[] | undefined): readonly string[] | undefined {
  const isRepeated = (name: string) => names?.indexOf(name) !== names?.lastIndexOf(name);
  return names?.map((name, number) => (isRepeated(name) ? `${name} (${number})` : name));
}

async function* listFile(
  reader: ParquetReader,
  path: string,
  columns: Columns,
  split: Item["split"],
): AsyncGenerator<Item | Fault> {
  const file = basename(path);
  try {
    const stamp = stampOf(path);
    let first = 0;
    for (const [group, rows] of (await reader.describe(path)).groups.entries()) {
      const labels = await reader.readColumn(path, columns.label, group, true);
      for (const [row, label] of labels.entries()) {
        const name = `${file}#${first + row}`;
        const className = nameOf(label, columns.names);
        const place = { kind: "row", path, column: columns.image, group, row } as const;
        if (className === undefined) yield { name, reason: "no class in this row" };
        else yield { name, className, split, place, stamp };
      }
      first += rows;
    }
  } catch (error) {
    yield { name: file, reason: `damaged Parquet file: ${describeFault(error)}`, isPartial: true };
  }
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
    throw new AlexnetError("unusable-data", "no picture in this row");
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
