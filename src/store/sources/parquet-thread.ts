import { closeSync, fstatSync } from "node:fs";
import type { TransferListItem } from "node:worker_threads";
import { type AsyncBuffer, type FileMetaData, parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { AlexnetError } from "../../errors.js";
import { describeFault } from "../../images/picture.js";
import { openToRead, readAt } from "../../system/file-reading.js";
import { answerRequests } from "../../system/threads/answer-requests.js";
import type { ParquetColumn, ParquetDescription, ParquetRequest, ParquetResponse } from "./parquet-reader.js";

answerRequests<ParquetRequest, ParquetResponse>(async ({ path, column }) => {
  try {
    return await withParquet(path, async (file, metadata) =>
      column === undefined ? describe(metadata) : readColumn(file, metadata, column),
    );
  } catch (error) {
    throw new AlexnetError("unusable-data", describeFault(error), { cause: error });
  }
}, buffersOf);

function describe({ schema, key_value_metadata, row_groups }: FileMetaData): ParquetDescription {
  return {
    kind: "description",
    names: schema.map(({ name }) => name),
    huggingface: key_value_metadata?.find(({ key }) => key === "huggingface")?.value,
    groups: row_groups.map(({ num_rows }) => Number(num_rows)),
    groupBytes: row_groups.reduce((most, { total_byte_size }) => Math.max(most, Number(total_byte_size)), 0),
  };
}

async function readColumn(
  file: AsyncBuffer,
  metadata: FileMetaData,
  { name, group, isText }: NonNullable<ParquetRequest["column"]>,
): Promise<ParquetColumn> {
  const sizes = metadata.row_groups.map(({ num_rows }) => Number(num_rows));
  const rowStart = sizes.slice(0, group).reduce((a, b) => a + b, 0);
  const rowEnd = rowStart + sizes[group];
  const options = { file, metadata, columns: [name], rowStart, rowEnd, compressors, utf8: isText };
  const rows = await parquetReadObjects(options);
  return { kind: "column", values: rows.map((row) => bytesIn(row[name])) };
}

/** A picture is a struct of bytes and path, or bytes alone. */
function bytesIn(value: unknown): unknown {
  return typeof value === "object" && value !== null && "bytes" in value ? value.bytes : value;
}

/** Handed over, not copied. */
function buffersOf(response: ParquetResponse): TransferListItem[] {
  const values = response.kind === "column" ? response.values : [];
  return [...new Set(values.flatMap((value) => (value instanceof Uint8Array ? [value.buffer] : [])))].filter(
    (buffer) => buffer instanceof ArrayBuffer,
  );
}

async function withParquet<T>(
  path: string,
  use: (file: AsyncBuffer, metadata: FileMetaData) => T,
): Promise<Awaited<T>> {
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
}
