import { join } from "node:path";
import type { SchemaElement } from "hyparquet";
import { parquetWriteBuffer } from "hyparquet-writer";
import { expect, test, vi } from "vitest";
import { ensurePrepared } from "#src/store/cache.js";
import { prepare } from "#src/store/preparing/prepare.js";
import { detectSource } from "#src/store/sources/detect.js";
import { openParquet } from "#src/store/sources/parquet.js";
import type { SourceChoices } from "#src/store/sources/source.js";
import { drawJpeg } from "../../support/draw.js";
import { temporaryFolder } from "../../support/folders.js";
import { prepareHere, readSkipped, write } from "../../support/stores.js";
import { unwatched } from "../../support/task.js";

const picture = await drawJpeg(1);

/** Two rows of pictures and labels in columns of these names, described as `datasets` does. */
function makeSet(columns: Readonly<Record<string, "image" | readonly number[]>>, features?: object): Uint8Array {
  const entries = Object.entries(columns);
  return new Uint8Array(
    parquetWriteBuffer({
      columnData: entries.map(([name, column]) => ({
        name,
        data: column === "image" ? [0, 1].map((i) => ({ bytes: picture, path: `${i}.jpg` })) : column.map(BigInt),
      })),
      schema: [
        { name: "root", num_children: entries.length },
        ...entries.flatMap(([name, column]): SchemaElement[] =>
          column === "image"
            ? [
                { name, num_children: 2, repetition_type: "OPTIONAL" },
                { name: "bytes", type: "BYTE_ARRAY", repetition_type: "OPTIONAL" },
                { name: "path", type: "BYTE_ARRAY", repetition_type: "OPTIONAL" },
              ]
            : [{ name, type: "INT64", repetition_type: "OPTIONAL" }],
        ),
      ],
      kvMetadata: features === undefined ? [] : [{ key: "huggingface", value: JSON.stringify({ info: { features } }) }],
    }),
  );
}

async function open(files: Readonly<Record<string, Uint8Array>>, columns?: SourceChoices) {
  const folder = temporaryFolder();
  write(folder, files);
  const source = await openParquet(folder, columns ?? {}, unwatched);
  if (source === undefined) throw new Error("no Parquet files");
  const items: string[] = [];
  for await (const item of source.items(unwatched))
    items.push("className" in item ? item.className : `${item.name}: ${item.reason}`);
  return { items, notes: source.notes };
}

const image = { _type: "Image" };
const classes = (...names: string[]) => ({ _type: "ClassLabel", names });

test.each([
  ["a struct", { id: { a: { dtype: "int64", _type: "Value" } } }],
  ["a list", { boxes: [{ dtype: "float32", _type: "Value" }] }],
  ["null", { nothing: null }],
  ["a sequence of structs", { objects: { feature: { x: { dtype: "int64", _type: "Value" } }, _type: "Sequence" } }],
])("class names are read though another column is %s", async (_, other) => {
  const file = makeSet({ image: "image", label: [1, 0] }, { image, label: classes("ant", "bee"), ...other });
  expect((await open({ "train.parquet": file })).items).toEqual(["bee", "ant"]);
});

const two = makeSet(
  { mask: "image", image: "image", source: [0, 0], label: [1, 0] },
  { mask: image, image, source: classes("web", "camera"), label: classes("ant", "bee") },
);

test("of several columns of one type, those named image and label are taken, and it is said", async () => {
  const { items, notes } = await open({ "train.parquet": two });
  expect(items).toEqual(["bee", "ant"]);
  expect(notes).toEqual(["pictures of the column image, classes of label; not of mask, source"]);
});

test("the columns can be named, and one that is not there is an error that lists those that are", async () => {
  const { items, notes } = await open({ "train.parquet": two }, { imageColumn: "mask", labelColumn: "source" });
  expect(items).toEqual(["web", "web"]);
  expect(notes).toEqual(["pictures of the column mask, classes of source; not of image, label"]);
  await expect(open({ "train.parquet": two }, { labelColumn: "kind" })).rejects.toMatchObject({
    code: "invalid-option",
    message: expect.stringMatching(/has no column kind; give one of mask, image, source, label \(labelColumn\)/),
  });
});

test("several columns of one type, none of them preferred by its name, are an error that names them", async () => {
  const file = makeSet(
    { image: "image", maker: [0, 0], model: [1, 0] },
    { image, maker: classes("x"), model: classes("a", "b") },
  );
  await expect(open({ "train.parquet": file })).rejects.toThrow(
    /maker and model are label columns, and none is named label; name it \(labelColumn\)/,
  );
});

test("files that number the same classes otherwise are joined by the classes' names", async () => {
  const first = makeSet({ image: "image", label: [0, 1] }, { image, label: classes("ant", "bee") });
  const second = makeSet({ image: "image", label: [0, 1] }, { image, label: classes("bee", "ant") });
  expect((await open({ "train-0.parquet": first, "train-1.parquet": second })).items).toEqual([
    "ant",
    "bee",
    "bee",
    "ant",
  ]);
});

test("files of other classes are an error that names the difference", async () => {
  const first = makeSet({ image: "image", label: [0, 1] }, { image, label: classes("ant", "bee") });
  const second = makeSet({ image: "image", label: [0, 1] }, { image, label: classes("ant", "wasp") });
  await expect(open({ "train-0.parquet": first, "train-1.parquet": second })).rejects.toMatchObject({
    code: "classes-differ",
    message: expect.stringMatching(/train-1.*only here wasp; only there bee/),
  });
});

test("a file that lacks the others' columns is listed as such, and not as damaged", async () => {
  const first = makeSet({ image: "image", label: [0, 1] }, { image, label: classes("ant", "bee") });
  const second = makeSet({ image: "image", kind: [0, 1] });
  expect((await open({ "train-0.parquet": first, "train-1.parquet": second })).items).toEqual([
    "ant",
    "bee",
    "train-1.parquet: has no column label, as the other files have",
  ]);
});

test("columns that are named reach Parquet through the detection of sources", async () => {
  const folder = temporaryFolder();
  write(folder, { "train.parquet": two });
  expect((await detectSource(join(folder, "train.parquet"), { labelColumn: "source" }, unwatched)).notes).toEqual([
    "pictures of the column image, classes of source; not of mask, label",
  ]);
});

test("columns that are named are those of a store, which says so and is not mixed up with another", async () => {
  const folder = temporaryFolder();
  write(folder, { "train.parquet": two });
  const out = join(temporaryFolder(), "store");
  const options = { source: folder, out, labelColumn: "source", valFraction: 0, maxBad: 1 };
  const { classes, info } = await prepare(options);
  expect(classes).toEqual(["web"]);
  expect(info.source).toMatchObject({ columns: { image: "image", label: "source" } });
  expect(info.notes).toContain("pictures of the column image, classes of source; not of mask, label");
  expect(await prepare({ ...options, imageColumn: "image" })).toMatchObject({ reused: true });
  await expect(prepare({ ...options, labelColumn: undefined })).rejects.toMatchObject({
    code: "settings-differ",
    message: expect.stringContaining("label column source, not label"),
  });
});

test("stores that nobody named are told apart by their columns", async () => {
  const folder = temporaryFolder();
  vi.stubEnv("ALEXNET_CACHE", join(folder, "cache"));
  write(folder, { "set/train.parquet": two });
  const prepared = (columns: SourceChoices) => ensurePrepared(join(folder, "set"), { ...columns, valFraction: 0 });
  const paths = [
    await prepared({}),
    await prepared({ labelColumn: "source" }),
    await prepared({ imageColumn: "mask" }),
  ];
  expect(new Set(paths).size).toBe(3);
  expect(await prepared({ labelColumn: "source" })).toBe(paths[1]);
  vi.unstubAllEnvs();
});

test("columns of what has none are refused", async () => {
  const folder = temporaryFolder();
  write(folder, { "a/1.jpg": picture, "b/1.jpg": picture });
  await expect(detectSource(folder, { labelColumn: "kind" }, unwatched)).rejects.toMatchObject({
    code: "invalid-option",
    message: expect.stringMatching(/only Parquet files have columns, these are image folders/),
  });
});

test("of archives, those for tests are taken alone when asked for", async () => {
  const folder = temporaryFolder();
  const features = { image, label: classes("ant", "bee") };
  const file = makeSet({ image: "image", label: [0, 1] }, features);
  write(folder, {
    "data/train-0.parquet": file,
    "data/validation-0.parquet": file,
    "data/test-0.parquet": makeSet({ image: "image", label: [1, 1] }, features),
  });
  const items: unknown[] = [];
  for await (const item of (await detectSource(folder, { part: "test" }, unwatched)).items(unwatched)) items.push(item);
  expect(items).toMatchObject([
    { name: "test-0.parquet#0", className: "bee", split: undefined },
    { name: "test-0.parquet#1", className: "bee", split: undefined },
  ]);
});

test("rows with only a picture's path, or with something else than a class, are listed as what they are", async () => {
  const folder = temporaryFolder();
  const path = (name: string) => ({ bytes: null, path: name });
  const bytes = { bytes: picture, path: null };
  write(folder, {
    "train.parquet": new Uint8Array(
      parquetWriteBuffer({
        columnData: [
          { name: "image", data: [path("a/1.jpg"), bytes, bytes, bytes] },
          { name: "label", data: [0n, 7n, 1n, 0n] },
        ],
        schema: [
          { name: "root", num_children: 2 },
          { name: "image", num_children: 2, repetition_type: "OPTIONAL" },
          { name: "bytes", type: "BYTE_ARRAY", repetition_type: "OPTIONAL" },
          { name: "path", type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "OPTIONAL" },
          { name: "label", type: "INT64", repetition_type: "OPTIONAL" },
        ],
        kvMetadata: [
          {
            key: "huggingface",
            value: JSON.stringify({ info: { features: { image, label: classes("ant", "bee") } } }),
          },
        ],
      }),
    ),
  });
  const { skippedList } = await prepareHere({ source: folder, valFraction: 0 });
  expect(readSkipped(skippedList)).toEqual([
    ["train.parquet#0", "no picture in this row, only its path or name: a/1.jpg"],
    ["train.parquet#1", "no class in this row, but the number 7 of 2 names"],
  ]);
});
