import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { basename } from "node:path";
import { type AsyncBuffer, type FileMetaData, parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { z } from "zod";
import { AlexnetError } from "../../errors.js";
import { describeFault } from "../../images/picture.js";
import { stampOf } from "./archive.js";
import { findArchives } from "./archive-files.js";
import { compareNumerically, type Fault, type Item, type Source } from "./source.js";

/** What Hugging Face's `datasets` writes into a file's metadata about its columns. */
const description = z.object({
  info: z.object({
    features: z.record(z.string(), z.object({ _type: z.string(), names: z.array(z.string()).optional() }).loose()),
  }),
});

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
  const columns = await firstReadable(paths);
  const { names } = columns;
  return {
    kind: "Parquet files",
    path,
    compareClasses: names === undefined ? compareNumerically : (a, b) => names.indexOf(a) - names.indexOf(b),
    titles: new Map(),
    notes,
    async *items() {
      for (const path of paths) yield* listFile(path, columns, splitOf(path));
    },
  };
}

/** The columns of the first file that can be read: all have the same, and one that is damaged is named when listed. */
async function firstReadable(paths: readonly string[]): Promise<Columns> {
  for (const path of paths) {
    try {
      return await withParquet(path, async (_, metadata) => findColumns(metadata, path));
    } catch (error) {
      if (error instanceof AlexnetError) throw error;
      if (path === paths.at(-1))
        throw new AlexnetError("data", `${path}: damaged Parquet file: ${describeFault(error)}`, { cause: error });
    }
  }
  throw new AlexnetError("data", "no Parquet file");
}

interface Columns {
  readonly image: string;
  readonly label: string;
  /** Class names in the order of their numbers, where the file has them. */
  readonly names: readonly string[] | undefined;
}

function findColumns(metadata: FileMetaData, path: string): Columns {
  const present = metadata.schema.map(({ name }) => name);
  const text = metadata.key_value_metadata?.find(({ key }) => key === "huggingface")?.value;
  const features = Object.entries(description.safeParse(parseJson(text)).data?.info.features ?? {});
  const image =
    features.find(([, { _type }]) => _type === "Image")?.[0] ?? IMAGE_COLUMNS.find((name) => present.includes(name));
  const label =
    features.find(([, { _type }]) => _type === "ClassLabel")?.[0] ??
    LABEL_COLUMNS.find((name) => present.includes(name));
  if (image === undefined || label === undefined)
    throw new AlexnetError(
      "data",
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

async function* listFile(path: string, columns: Columns, split: Item["split"]): AsyncGenerator<Item | Fault> {
  const file = basename(path);
  try {
    const stamp = stampOf(path);
    const groups = await withParquet(path, async (_, metadata) =>
      metadata.row_groups.map((group) => Number(group.num_rows)),
    );
    let first = 0;
    for (const [group, rows] of groups.entries()) {
      const labels = await readColumn(path, columns.label, first, first + rows);
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

let lastGroup: { readonly key: string; readonly pictures: Promise<readonly unknown[]> } | undefined;

/** The picture file in a row. The latest row group is kept: neighbours are asked for one after the other. */
export async function readRow(path: string, column: string, group: number, row: number): Promise<Uint8Array> {
  const key = `${path}#${group}`;
  if (lastGroup?.key !== key) lastGroup = { key, pictures: readGroup(path, column, group) };
  const picture = (await lastGroup.pictures)[row];
  const bytes = typeof picture === "object" && picture !== null && "bytes" in picture ? picture.bytes : picture;
  if (bytes instanceof Uint8Array) return bytes;
  throw new AlexnetError("data", "no picture in this row");
}

async function readGroup(path: string, column: string, group: number): Promise<readonly unknown[]> {
  const sizes = await withParquet(path, async (_, metadata) =>
    metadata.row_groups.map(({ num_rows }) => Number(num_rows)),
  );
  const first = sizes.slice(0, group).reduce((a, b) => a + b, 0);
  return readColumn(path, column, first, first + sizes[group], false);
}

async function readColumn(
  path: string,
  column: string,
  rowStart: number,
  rowEnd: number,
  utf8 = true,
): Promise<unknown[]> {
  return withParquet(path, async (file, metadata) => {
    const rows = await parquetReadObjects({ file, metadata, columns: [column], rowStart, rowEnd, compressors, utf8 });
    return rows.map((row) => row[column] as unknown);
  });
}

async function withParquet<T>(
  path: string,
  use: (file: AsyncBuffer, metadata: FileMetaData) => Promise<T>,
): Promise<T> {
  const handle = openSync(path, "r");
  try {
    const { size } = fstatSync(handle);
    const file: AsyncBuffer = {
      byteLength: size,
      async slice(start, end = size) {
        const bytes = new Uint8Array(Math.max(0, Math.min(end, size) - start));
        for (let done = 0, read = -1; read !== 0 && done < bytes.length; done += read)
          read = readSync(handle, bytes, done, bytes.length - done, start + done);
        return bytes.buffer;
      },
    };
    return await use(file, await parquetMetadataAsync(file));
  } finally {
    closeSync(handle);
  }
}

function parseJson(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
