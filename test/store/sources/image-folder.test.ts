import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../../support/folders.js";
import { drawSome, prepareHere, write } from "../../support/stores.js";

/** A folder of three pictures for each of some class folders, and other files. */
async function makeSet(folders: readonly string[], files: Readonly<Record<string, string>> = {}): Promise<string> {
  const source = temporaryFolder();
  for (const [i, folder] of folders.entries()) write(source, await drawSome(`${folder}/`, 3, i));
  write(source, files);
  return source;
}

const both = (...splits: string[]) => splits.flatMap((split) => [`${split}/cat`, `${split}/dog`]);

test.each([
  ["Training and Testing, as Kaggle has them", both("Training", "Testing"), []],
  ["training and validation", both("training", "validation"), []],
  ["train and dev", both("train", "dev"), []],
  ["training_set and test_set", both("training_set", "test_set"), []],
  ["a wrapper around train and val", both("dataset/train", "dataset/val"), []],
  ["two wrappers", both("a/b/Train", "a/b/Valid"), []],
  ["wrappers inside of the splits", both("seg_train/seg_train", "seg_test/seg_test"), []],
  [
    "a third set that belongs nowhere",
    [...both("seg_train/seg_train", "seg_test/seg_test"), "seg_pred/seg_pred"],
    ["left aside: seg_pred (beside seg_train, it is neither training nor validation pictures)"],
  ],
  ["classes with a folder test of the same classes beside them", ["cat", "dog", "test/cat", "test/dog"], []],
  ["what an archive of macOS leaves", [...both("train", "val"), "__MACOSX/train/cat"], []],
  ["a test set without labels", [...both("train", "val"), "test"], ["left aside: test (val validates)"]],
  ["train, val and dev", both("train", "val", "dev"), ["left aside: dev (val validates)"]],
])("%s: the pictures are divided as the names say", async (_, folders, notes) => {
  const { classes, info } = await prepareHere({ source: await makeSet(folders) });
  expect(classes).toEqual(["cat", "dog"]);
  expect(info.counts).toEqual({ train: 6, val: 6 });
  expect(info.notes).toEqual(notes);
});

test.each([
  [
    "an unlabelled flat test folder",
    ["train/cat", "train/dog", "test"],
    ["left aside: test (its pictures have no labels)"],
  ],
  [
    "a folder of something else",
    ["train/cat", "train/dog", "extra"],
    ["left aside: extra (beside train, it is neither training nor validation pictures)"],
  ],
])("%s beside train is left aside and named, and a share of train validates", async (_, folders, notes) => {
  const { classes, info } = await prepareHere({ source: await makeSet(folders), valFraction: 0.34 });
  expect(classes).toEqual(["cat", "dog"]);
  expect(info.counts).toEqual({ train: 4, val: 2 });
  expect(info.notes).toEqual(notes);
});

test("an empty folder val beside train is left aside and named, and a share of train validates", async () => {
  const source = await makeSet(["train/cat", "train/dog"]);
  mkdirSync(join(source, "val"));
  const { info } = await prepareHere({ source, valFraction: 0.34 });
  expect(info.counts).toEqual({ train: 4, val: 2 });
  expect(info.notes).toEqual(["left aside: val (no pictures in it)"]);
});

test("folders that all have the same folders in them are no classes: an error names both", async () => {
  const source = await makeSet(both("batch one", "batch two"));
  await expect(prepareHere({ source })).rejects.toMatchObject({
    code: "unusable-data",
    message: expect.stringContaining("batch one, batch two all have the same folders in them (cat, dog)"),
  });
});

test("folders inside of classes belong to them, also where some have the same names", async () => {
  const one = await prepareHere({ source: await makeSet(["cat/images", "dog/images"]) });
  expect(one.classes).toEqual(["cat", "dog"]);
  const some = await prepareHere({ source: await makeSet(["cat/a", "cat/b", "dog/a", "dog/c"]) });
  expect(some.classes).toEqual(["cat", "dog"]);
});

test("previews of storage systems are not taken for pictures", async () => {
  const source = await makeSet(["cat", "dog"]);
  write(source, await drawSome("cat/@eaDir/0000.jpg/", 2, 7));
  const { info } = await prepareHere({ source, valFraction: 0 });
  expect(info.counts).toEqual({ train: 6, val: 0 });
});

const composed = "caf\u00e9";
const decomposed = "cafe\u0301";

test("one class whose folder is spelt in two forms of Unicode is one class", async () => {
  const source = await makeSet(["train/dog", `train/${composed}`, "val/dog", `val/${decomposed}`]);
  const { classes, info } = await prepareHere({ source });
  expect(classes).toEqual([composed, "dog"]);
  expect(info).toMatchObject({ counts: { train: 6, val: 6 }, leftOut: 0 });
});

test("two folders beside each other whose names differ in the form of Unicode alone are one class", async () => {
  const { classes, info } = await prepareHere({ source: await makeSet([composed, decomposed, "dog"]), valFraction: 0 });
  expect(classes).toEqual([composed, "dog"]);
  expect(info.counts.train).toBe(9);
});

test("a list may spell classes, files and titles in another form of Unicode than the disk", async () => {
  const source = await makeSet([`train/${decomposed}`, "train/dog"], {
    "val.txt": `${composed}.jpg ${composed}\n1.jpg dog\n`,
    "classes.txt": `${decomposed}\tcoffee\n`,
  });
  const [one, two] = Object.values(await drawSome("", 2, 9));
  write(source, { [`val/${decomposed}.jpg`]: one, "val/1.jpg": two });
  const { info, classes } = await prepareHere({ source });
  expect(classes).toEqual([composed, "dog"]);
  expect(info).toMatchObject({ counts: { train: 6, val: 2 }, skipped: 0, titles: { [composed]: "coffee" } });
});

test("files that are no pictures by their names are counted by extension", async () => {
  const files = { "cat/a.CR2": "", "cat/b.CR2": "", "dog/notes.txt": "", "dog/.hidden": "", "README.md": "" };
  const { info } = await prepareHere({ source: await makeSet(["cat", "dog"], files) });
  expect(info.notes).toEqual([
    "2 .CR2, 1 .txt were not looked at, being no pictures by their names; raw files of cameras have to be saved as JPEG first",
  ]);
  expect(info.skipped).toBe(0);
});

test("a class of nothing but files that are not looked at is named, and so are they", async () => {
  const { info } = await prepareHere({ source: await makeSet(["cat", "dog"], { "bird/1.NEF": "", "bird/2.NEF": "" }) });
  expect(info.notes).toEqual(["folders without pictures: bird", expect.stringMatching(/^2 \.NEF were not looked at/)]);
});

test("class folders of val that are all empty are left aside, and a share of train validates", async () => {
  const source = await makeSet(["train/cat", "train/dog"]);
  for (const name of ["cat", "dog"]) mkdirSync(join(source, "val", name), { recursive: true });
  const { info } = await prepareHere({ source, valFraction: 0.34 });
  expect(info.counts).toEqual({ train: 4, val: 2 });
  expect(info.notes).toEqual(["left aside: val (no pictures in it)"]);
});

test("what Windows leaves in folders of pictures is nobody's", async () => {
  const { info } = await prepareHere({
    source: await makeSet(["cat", "dog"], { "cat/Thumbs.db": "", "dog/desktop.ini": "" }),
  });
  expect(info.notes).toEqual([]);
});
