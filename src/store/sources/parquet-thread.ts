import { closeSync, fstatSync } from "node:fs";
import { type AsyncBuffer, type FileMetaData, parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { AlexnetError } from "../../errors.js";
import { describeFault } from "../../images/picture.js";
import { openToRead, readAt } from "../../system/file-reading.js";
import { moving } from "../../system/threads/protocol.js";
import { serve } from "../../system/threads/serve.js";

/** Entry of the thread that reads Parquet files. */

export interface ParquetCalls {
  describe(path: string): Promise<ParquetDescription>;
  /** @param isText whether bytes without a type are text, not a picture */
  readColumn(path: string, name: string, group: number, isText: boolean): Promise<readonly unknown[]>;
}

export interface ParquetDescription {
  /** Of columns, not of the fields within them. */
  readonly names: readonly string[];
  /** What Hugging Face's `datasets` wrote into it, JSON. */
  readonly huggingface: string | undefined;
  /** Rows of each row group. */
  readonly groups: readonly number[];
  /** Of the largest row group, unpacked. */
  readonly groupBytes: number;
}

serve<undefined, ParquetCalls>(() => ({
  describe: (path) => withParquet(path, async (_, metadata) => describe(metadata)),
  readColumn: (path, name, group, isText) =>
    withParquet(path, async (file, metadata) => {
      const values = await readColumn(file, metadata, name, group, isText);
      return moving(
        values,
        values.flatMap((value) => (value instanceof Uint8Array ? [value.buffer] : [])),
      );
    }),
}));

function describe({ schema, key_value_metadata, row_groups }: FileMetaData): ParquetDescription {
  return {
    names: columnNames(schema),
    huggingface: key_value_metadata?.find(({ key }) => key === "huggingface")?.value,
    groups: row_groups.map(({ num_rows }) => Number(num_rows)),
    groupBytes: row_groups.reduce((most, { total_byte_size }) => Math.max(most, Number(total_byte_size)), 0),
  };
}

/** The schema is a tree, parents before children; its root's children are the columns. */
function columnNames(schema: FileMetaData["schema"]): readonly string[] {
  const names: string[] = [];
  for (let i = 1; i < schema.length; i = behind(schema, i)) names.push(schema[i]?.name ?? "");
  return names;
}

/** Where the subtree of an element ends. */
function behind(schema: FileMetaData["schema"], element: number): number {
  let next = element + 1;
  for (let child = schema[element]?.num_children ?? 0; child > 0 && next < schema.length; child--)
    next = behind(schema, next);
  return next;
}

async function readColumn(
  file: AsyncBuffer,
  metadata: FileMetaData,
  name: string,
  group: number,
  isText: boolean,
): Promise<readonly unknown[]> {
  const sizes = metadata.row_groups.map(({ num_rows }) => Number(num_rows));
  const rowStart = sizes.slice(0, group).reduce((a, b) => a + b, 0);
  const rowEnd = rowStart + (sizes[group] ?? 0);
  const options = { file, metadata, columns: [name], rowStart, rowEnd, compressors, utf8: isText };
  const rows = await parquetReadObjects(options);
  return rows.map((row) => bytesIn(row[name]));
}

/** A picture is a struct of bytes and path, or bytes alone; where only the path is there, that. */
function bytesIn(value: unknown): unknown {
  if (typeof value !== "object" || value === null || !("bytes" in value)) return value;
  return value.bytes ?? ("path" in value ? value.path : undefined);
}

/** @throws AlexnetError "unusable-data" for whatever goes wrong */
async function withParquet<T>(
  path: string,
  use: (file: AsyncBuffer, metadata: FileMetaData) => Promise<T>,
): Promise<T> {
  try {
    const handle = openToRead(path);
    try {
      const { size } = fstatSync(handle);
      const file: AsyncBuffer = {
        byteLength: size,
        async slice(start, end = size) {
          const bytes = new Uint8Array(Math.max(0, Math.min(end, size) - start));
          readAt(handle, bytes, start);
          return bytes.buffer;
        },
      };
      return await use(file, await parquetMetadataAsync(file));
    } finally {
      closeSync(handle);
    }
  } catch (error) {
    throw new AlexnetError("unusable-data", describeFault(error), { cause: error });
  }
}
