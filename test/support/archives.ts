import { deflateSync } from "node:zlib";
import { parquetWriteBuffer } from "hyparquet-writer";
import { Header } from "tar/header";
import { Pax } from "tar/pax";

export interface ArchivedFile {
  readonly path: string;
  readonly content: string | Uint8Array;
  /** What the header claims, where that isn't the truth. */
  readonly size?: number;
  readonly type?: "File" | "Link" | "SymbolicLink" | "SparseFile";
  readonly linkpath?: string;
}

const padded = (content: Uint8Array): Buffer =>
  Buffer.concat([content, Buffer.alloc((512 - (content.length % 512)) % 512)]);

/** A tar archive as `tar` writes it; long names as pax extensions. */
export function makeTar(files: readonly ArchivedFile[]): Buffer {
  const blocks = files.flatMap(({ path, content, size, type = "File", linkpath }) => {
    const body = Buffer.from(content);
    const fields = { path, size: size ?? body.length, type, linkpath, mode: 0o644, mtime: new Date(0) };
    const header = new Header({ ...fields });
    const needsPax = header.encode();
    return [
      needsPax ? new Pax({ path, size: fields.size, linkpath }).encode() : Buffer.alloc(0),
      header.block ?? Buffer.alloc(0),
      padded(body),
    ];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

/** The `synsets` table of ILSVRC's meta.mat: a MATLAB level 5 file with one compressed struct array. */
export function makeMetaMat(
  synsets: readonly { readonly id: number; readonly wnid: string; readonly words: string }[],
): Buffer {
  const fieldNames = ["ILSVRC2012_ID", "WNID", "words", "gloss"];
  const values = synsets.flatMap(({ id, wnid, words }) => [
    matrix(6, "", [1, 1], element(9, doubles(id))), // mxDOUBLE_CLASS
    characters(wnid),
    characters(words),
    characters("a gloss"),
  ]);
  const names = Buffer.concat(
    fieldNames.map((name) => Buffer.concat([Buffer.from(name), Buffer.alloc(32 - name.length)])),
  );
  const table = matrix(2, "synsets", [synsets.length, 1], element(5, int32(32)), element(1, names), ...values);
  const compressed = deflateSync(table);
  const header = Buffer.alloc(128, " ");
  header.write("MATLAB 5.0 MAT-file");
  header.writeUInt16LE(0x0100, 124);
  header.write("IM", 126);
  const tag = Buffer.alloc(8);
  tag.writeUInt32LE(15, 0);
  tag.writeUInt32LE(compressed.length, 4);
  return Buffer.concat([header, tag, compressed]);
}

/** Up to 4 bytes go into the tag itself, as MATLAB does it. */
function element(type: number, data: Buffer): Buffer {
  const tag = Buffer.alloc(8);
  if (data.length > 0 && data.length <= 4) {
    tag.writeUInt16LE(type, 0);
    tag.writeUInt16LE(data.length, 2);
    data.copy(tag, 4);
    return tag;
  }
  tag.writeUInt32LE(type, 0);
  tag.writeUInt32LE(data.length, 4);
  return Buffer.concat([tag, data, Buffer.alloc((8 - (data.length % 8)) % 8)]);
}

function matrix(kind: number, name: string, size: readonly number[], ...content: readonly Buffer[]): Buffer {
  const flags = Buffer.alloc(8);
  flags.writeUInt32LE(kind, 0);
  return element(
    14,
    Buffer.concat([element(6, flags), element(5, int32(...size)), element(1, Buffer.from(name)), ...content]),
  );
}

const characters = (text: string): Buffer => matrix(4, "", [1, text.length], element(4, Buffer.from(text, "utf16le")));
const int32 = (...values: readonly number[]): Buffer => Buffer.from(Int32Array.from(values).buffer);
const doubles = (...values: readonly number[]): Buffer => Buffer.from(Float64Array.from(values).buffer);

/** As `datasets` writes it: a struct of bytes and path, and a number of the class. */
export function makeParquet(
  pictures: readonly (Uint8Array | null)[],
  labels: readonly (number | string | null)[],
  options: object,
  columns = ["picture", "kind"],
) {
  const [image, label] = columns;
  const isText = typeof labels[0] === "string";
  const buffer = parquetWriteBuffer({
    columnData: [
      { name: image, data: pictures.map((bytes, i) => (bytes === null ? null : { bytes, path: `${i}.jpg` })) },
      { name: label, data: isText ? [...labels] : labels.map((label) => (label === null ? null : BigInt(label))) },
    ],
    schema: [
      { name: "root", num_children: 2 },
      { name: image, num_children: 2, repetition_type: "OPTIONAL" },
      { name: "bytes", type: "BYTE_ARRAY", repetition_type: "OPTIONAL" },
      { name: "path", type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "OPTIONAL" },
      isText
        ? { name: label, type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "OPTIONAL" }
        : { name: label, type: "INT64", repetition_type: "OPTIONAL" },
    ],
    ...options,
  });
  return new Uint8Array(buffer);
}
