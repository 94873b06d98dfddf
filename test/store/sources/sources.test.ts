import { rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { decodePicture } from "#src/images/decode/decode.js";
import type { PrepareSummary } from "#src/store/preparing/summary.js";
import { ParquetReader } from "#src/store/sources/parquet-reader.js";
import { makeMetaMat, makeParquet, makeTar } from "../../support/archives.js";
import { difference, drawJpeg } from "../../support/draw.js";
import { temporaryFolder } from "../../support/folders.js";
import { drawSet, drawSome, prepareHere, readSkipped, useStore, write } from "../../support/stores.js";

const synsets = [
  { id: 1, wnid: "n02119789", words: "kit fox, Vulpes macrotis" },
  { id: 2, wnid: "n01440764", words: "tench, Tinca tinca" },
  { id: 3, wnid: "n00001740", words: "entity" },
];

/** Names and labels of a split, in order. */
const listed = ({ path }: PrepareSummary, split: "train" | "val") =>
  useStore(path, (store) =>
    Array.from({ length: store.count(split) }, (_, i) => [
      store.fileName(split, i),
      store.classes[store.labels(split)[i]],
    ]),
  );

const pictureAt = ({ path }: PrepareSummary, split: "train" | "val", index: number) =>
  useStore(path, (store) => store.encoded(split, index));

describe("image folders", () => {
  test.each([
    [["train", "val", "test"], "val", ["left aside: test (val validates)"]],
    [["train", "validation", "test"], "validation", ["left aside: test (validation validates)"]],
    [["train", "test"], "test", []],
    [["Train", "Test"], "Test", []],
  ])("%j: %s/ is for validation", async (folders, validation, notes) => {
    const source = temporaryFolder();
    for (const [i, folder] of folders.entries())
      write(source, { ...(await drawSome(`${folder}/a/`, 2, i)), ...(await drawSome(`${folder}/b/`, 1, 9 - i)) });
    const summary = await prepareHere({ source });
    expect(summary.info.counts).toEqual({ train: 3, val: 3 });
    expect((await listed(summary, "val"))[0]).toEqual([`${validation}/a/0000.jpg`, "a"]);
    expect(summary.info.notes).toEqual(notes);
  });

  test("a class folder without pictures is noted", async () => {
    const source = temporaryFolder();
    write(source, { ...(await drawSome("a/", 2, 1)), ...(await drawSome("b/", 2, 2)), "c/notes.txt": "none yet" });
    const { info, classes } = await prepareHere({ source });
    expect(classes).toEqual(["a", "b"]);
    expect(info.notes).toEqual([
      "folders without pictures: c",
      "1 .txt was not looked at, being no picture by its name",
    ]);
  });

  test("splits without train, and train without classes, are errors and not classes", async () => {
    const source = temporaryFolder();
    write(source, { ...(await drawSome("val/a/", 1, 1)), ...(await drawSome("test/a/", 1, 2)) });
    await expect(prepareHere({ source })).rejects.toThrow(
      /test and val without train; put the training pictures there/,
    );
    write(source, await drawSome("train/", 2, 1));
    await expect(prepareHere({ source })).rejects.toThrow(/train: no class folders; each class needs one of its own/);
  });

  test("a class may be of trains", async () => {
    const source = temporaryFolder();
    for (const [i, name] of ["bus", "train", "tram"].entries()) write(source, await drawSome(`${name}/`, 2, i));
    expect((await prepareHere({ source })).classes).toEqual(["bus", "train", "tram"]);
  });

  test("pictures in no class folder are listed", async () => {
    const [divided, undivided] = [temporaryFolder(), temporaryFolder()];
    await drawSet(divided);
    write(divided, {
      "train/stray.jpg": await drawJpeg(1),
      "val/stray.png": "",
      "cover.jpg": "",
      "val/.hidden.jpg": "",
    });
    expect(readSkipped((await prepareHere({ source: divided })).skippedList)).toEqual([
      ["train/stray.jpg", "in no class folder"],
      ["val/stray.png", "in no class folder"],
    ]);
    write(undivided, { ...(await drawSome("a/", 2, 1)), "stray.jpg": "" });
    expect(readSkipped((await prepareHere({ source: undivided })).skippedList)).toEqual([
      ["stray.jpg", "in no class folder"],
    ]);
  });

  test("folders without pictures: what they were taken for, and what is understood", async () => {
    const source = temporaryFolder();
    write(source, { "a/notes.txt": "", "b/table.csv": "" });
    await expect(prepareHere({ source })).rejects.toThrow(
      /taken for image folders, but no pictures to train on; understood: folders train.*Parquet files/,
    );
  });

  test.each([
    ["classes.txt", "n01443537\tgoldfish, Carassius auratus\r\n"],
    ["words.txt", "\ufeffn01443537\tgoldfish, Carassius auratus\r\nn99999999\tnot here\r\n"],
    ["LOC_synset_mapping.txt", "n01443537 goldfish, Carassius auratus\n"],
  ])("titles from %s, also beside a classes.txt that has none", async (file, content) => {
    const source = temporaryFolder();
    write(source, { ...(await drawSome("n01443537/", 2, 1)), ...(await drawSome("n01440764/", 2, 2)) });
    write(source, { "classes.txt": "n01443537\nn01440764\n", [file]: content });
    expect((await prepareHere({ source })).info.titles).toEqual({ n01443537: "goldfish, Carassius auratus" });
  });
});

describe("ILSVRC", () => {
  async function writeArchives(folder: string): Promise<void> {
    const classTar = async (wnid: string, seed: number) => {
      const files = await drawSome(`${wnid}_`, 3, seed);
      return {
        path: `${wnid}.tar`,
        content: makeTar(Object.entries(files).map(([path, content]) => ({ path, content }))),
      };
    };
    const validation = [1, 2, 3, 4].map(async (number) => ({
      path: `ILSVRC2012_val_0000000${number}.JPEG`,
      content: await drawJpeg(500 + number),
    }));
    const devkit = makeTar([
      { path: "ILSVRC2012_devkit_t12/readme.txt", content: "" },
      { path: "ILSVRC2012_devkit_t12/data/meta.mat", content: makeMetaMat(synsets) },
      { path: "ILSVRC2012_devkit_t12/data/ILSVRC2012_validation_ground_truth.txt", content: "2\n1\n1\n2\n" },
    ]);
    write(folder, {
      "ILSVRC2012_img_train.tar": makeTar([await classTar("n02119789", 1), await classTar("n01440764", 2)]),
      "ILSVRC2012_img_val.tar": makeTar(await Promise.all(validation)),
      "ILSVRC2012_devkit_t12.tar.gz": gzipSync(devkit),
    });
  }

  test("archives as distributed, read in place", async () => {
    const source = temporaryFolder();
    await writeArchives(source);
    const summary = await prepareHere({ source });
    expect(summary.info.source.kind).toBe("ILSVRC archives");
    expect(summary.classes).toEqual(["n01440764", "n02119789"]);
    expect(summary.info.titles).toEqual({ n01440764: "tench, Tinca tinca", n02119789: "kit fox, Vulpes macrotis" });
    expect((await listed(summary, "train"))[0]).toEqual([
      "ILSVRC2012_img_train.tar!n02119789.tar!n02119789_0000.jpg",
      "n02119789",
    ]);
    expect((await listed(summary, "val")).map(([, name]) => name)).toEqual([
      "n01440764",
      "n02119789",
      "n02119789",
      "n01440764",
    ]);
    expect(difference(await pictureAt(summary, "train", 4), await decodePicture(await drawJpeg(2002, 41, 31)))).toBe(0);
  });

  test("the training archive alone is divided; given by its own name, the others are found beside it", async () => {
    const source = temporaryFolder();
    await writeArchives(source);
    const archive = join(source, "ILSVRC2012_img_train.tar");
    expect((await prepareHere({ source: archive })).info.counts).toEqual({ train: 6, val: 4 });
    const alone = temporaryFolder();
    write(alone, { "ILSVRC2012_img_train.tar": makeTar([{ path: "n01440764.tar", content: makeTar([]) }]) });
    await expect(prepareHere({ source: alone })).rejects.toThrow(/no pictures to train on/);
    write(alone, { "ILSVRC2012_img_val.tar": makeTar([]) });
    await expect(prepareHere({ source: alone })).rejects.toThrow(
      /is in ILSVRC2012_devkit_t12\.tar\.gz; put that beside it/,
    );
  });

  test("unpacked, with val.txt: numbers or names", async () => {
    for (const [one, two] of [
      ["1", "0"],
      ["n02119789", "n01440764"],
    ]) {
      const source = temporaryFolder();
      write(source, {
        ...(await drawSome("train/n02119789/", 2, 1)),
        ...(await drawSome("train/n01440764/", 2, 2)),
        ...(await drawSome("val/ILSVRC2012_val_", 3, 3)),
        "val.txt": `ILSVRC2012_val_0000.jpg ${one}\nILSVRC2012_val_0001.jpg ${two}\nILSVRC2012_val_0009.jpg ${one}\n`,
      });
      const summary = await prepareHere({ source });
      expect(await listed(summary, "val")).toEqual([
        ["val/ILSVRC2012_val_0000.jpg", "n02119789"],
        ["val/ILSVRC2012_val_0001.jpg", "n01440764"],
      ]);
      expect(readSkipped(summary.skippedList)).toEqual([
        ["val/ILSVRC2012_val_0009.jpg", "no such file"],
        ["val/ILSVRC2012_val_0002.jpg", "not in val.txt"],
      ]);
    }
  });

  test("unpacked as Kaggle has it", async () => {
    const source = temporaryFolder();
    const pictures = "ILSVRC/Data/CLS-LOC";
    write(source, {
      ...(await drawSome(`${pictures}/train/n02119789/`, 2, 1)),
      ...(await drawSome(`${pictures}/train/n01440764/`, 2, 2)),
      [`${pictures}/val/ILSVRC2012_val_00000001.JPEG`]: await drawJpeg(31),
      [`${pictures}/val/ILSVRC2012_val_00000002.JPEG`]: await drawJpeg(32),
      [`${pictures}/test/ILSVRC2012_test_00000001.JPEG`]: await drawJpeg(33),
      "LOC_val_solution.csv":
        "ImageId,PredictionString\nILSVRC2012_val_00000002,n01440764 85 1 499 272 \nILSVRC2012_val_00000001,n02119789 1 2 3 4 n02119789 5 6 7 8 \n",
      "LOC_synset_mapping.txt": "n01440764 tench, Tinca tinca\nn02119789 kit fox, Vulpes macrotis\n",
    });
    const summary = await prepareHere({ source });
    expect(await listed(summary, "val")).toEqual([
      ["val/ILSVRC2012_val_00000002.JPEG", "n01440764"],
      ["val/ILSVRC2012_val_00000001.JPEG", "n02119789"],
    ]);
    expect(summary.info.titles.n01440764).toBe("tench, Tinca tinca");
  });

  test("val.txt with paths, tabs, line ends of Windows and classes of several words", async () => {
    const source = temporaryFolder();
    write(source, {
      ...(await drawSome("train/golden retriever/", 2, 1)),
      ...(await drawSome("train/tabby/", 2, 2)),
      ...(await drawSome("val/", 4, 3)),
      "val/a b.jpg": await drawJpeg(77),
      "val.txt":
        "\ufeffval/0000.jpg golden retriever\r\nimages/val/0001.jpg\tgolden retriever\r\n0002.jpg  tabby\r\n" +
        "../../0003.jpg 1\r\na b.jpg tabby\r\n",
    });
    const summary = await prepareHere({ source });
    expect(await listed(summary, "val")).toEqual([
      ["val/0000.jpg", "golden retriever"],
      ["val/0001.jpg", "golden retriever"],
      ["val/0002.jpg", "tabby"],
      ["val/0003.jpg", "tabby"],
      ["val/a b.jpg", "tabby"],
    ]);
    expect(summary.info.skipped).toBe(0);
    write(source, { "val.txt": "0000.jpg tabby\nother/0000.jpg 0\n" });
    await expect(prepareHere({ source })).rejects.toThrow(/val\.txt: line 2 gives a file a second class/);
    write(source, { "val.txt": "0000.jpg 1\n0001.jpg 2\n" }); // as the devkit counts: from 1
    await expect(prepareHere({ source })).rejects.toThrow(/line 2 has no number from 0 to 1.*use their names/);
    write(source, { "val.txt": "0000.jpg\n" });
    await expect(prepareHere({ source })).rejects.toThrow(/line 1 names no file and class/);
  });

  test("Kaggle's list cannot lead out of the folder", async () => {
    const source = temporaryFolder();
    write(source, {
      ...(await drawSome("set/train/a/", 2, 1)),
      "outside.JPEG": await drawJpeg(1),
      "set/val/1.JPEG": await drawJpeg(2),
      "set/LOC_val_solution.csv": "ImageId,PredictionString\n1,a 1 2 3 4\n../../outside,a 1 2 3 4\n",
    });
    const { skippedList } = await prepareHere({ source: join(source, "set") });
    expect(readSkipped(skippedList)).toEqual([["val/outside.JPEG", "no such file"]]);
  });

  test("without the training archive, or with a damaged devkit: errors that name the file", async () => {
    const source = temporaryFolder();
    await writeArchives(source);
    write(source, { "ILSVRC2012_devkit_t12.tar.gz": gzipSync("no tar").subarray(0, 12) });
    await expect(prepareHere({ source })).rejects.toThrow(/ILSVRC2012_devkit_t12\.tar\.gz: damaged: unexpected end/);
    await writeArchives(source);
    rmSync(join(source, "ILSVRC2012_img_train.tar"));
    for (const given of [source, join(source, "ILSVRC2012_img_val.tar"), join(source, "ILSVRC2012_devkit_t12.tar.gz")])
      await expect(prepareHere({ source: given })).rejects.toThrow(
        /no ILSVRC2012_img_train\.tar to train on; put it beside/,
      );
  });

  test("unpacked beside its archives", async () => {
    const source = temporaryFolder();
    await drawSet(source);
    write(source, { "train/ILSVRC2012_img_train.tar": "", "val/ILSVRC2012_img_val.tar": "", "more.tar": makeTar([]) });
    expect((await prepareHere({ source })).info.source.kind).toBe("image folders");
  });

  test("flat validation pictures without a list are an error that says what to add", async () => {
    const source = temporaryFolder();
    write(source, { ...(await drawSome("train/a/", 2, 1)), ...(await drawSome("val/", 2, 2)) });
    await expect(prepareHere({ source })).rejects.toThrow(/neither class folders nor a list.*val\.txt/);
    write(source, { "val.txt": "0000.jpg 7\n" });
    await expect(prepareHere({ source })).rejects.toThrow(
      /val\.txt: line 1 has no number from 0 to 0, the folders of train in order; use their names: 0000\.jpg 7/,
    );
  });
});

describe("WebDataset", () => {
  async function shard(seed: number, labels: readonly (number | string)[], form: "cls" | "json") {
    const pictures = Object.values(await drawSome("", labels.length, seed));
    return makeTar(
      labels.flatMap((label, i) => {
        const key = `sample.d/${seed}${String(i).padStart(5, "0")}`;
        const about = form === "cls" ? String(label) : JSON.stringify({ caption: "x", label });
        return [
          { path: `${key}.${form}`, content: about },
          { path: `${key}.jpg`, content: pictures[i] },
        ];
      }),
    );
  }

  test("shards by a brace range, classes as numbers in the order of numbers", async () => {
    const folder = temporaryFolder();
    write(folder, {
      "train-000009.tar": await shard(1, [10, 2, 2], "cls"),
      "train-000010.tar": await shard(2, [2, 10, 1], "json"),
      "train-000011.tar": "not to be read",
    });
    const summary = await prepareHere({ source: join(folder, "train-{000009..000010}.tar"), valFraction: 0 });
    expect(summary.info.source.kind).toBe("WebDataset shards");
    expect(summary.classes).toEqual(["1", "2", "10"]);
    expect((await listed(summary, "train")).map(([, name]) => name)).toEqual(["10", "2", "2", "2", "10", "1"]);
    expect(difference(await pictureAt(summary, "train", 1), await decodePicture(await drawJpeg(1002, 41, 31)))).toBe(0);
    await expect(prepareHere({ source: join(folder, "train-{000009..000012}.tar") })).rejects.toThrow(
      /train-000012\.tar: no such shard/,
    );
  });

  test("a folder of shards, train and val told apart by name, classes as words", async () => {
    const source = temporaryFolder();
    write(source, {
      "imagenet-train-0.tar": await shard(1, ["cat", "dog"], "cls"),
      "imagenet-val-0.tar": await shard(2, ["dog", "cat"], "json"),
      "imagenet-test-0.tar": await shard(3, ["dog", "cat"], "json"),
    });
    const summary = await prepareHere({ source });
    expect((await listed(summary, "train")).map(([, name]) => name)).toEqual(["cat", "dog"]);
    expect((await listed(summary, "val")).map(([, name]) => name)).toEqual(["dog", "cat"]);
  });

  test("several ranges in one pattern, nested, over folders that tell the splits", async () => {
    const folder = temporaryFolder();
    write(folder, {
      "train/000.tar": await shard(1, [0, 1], "cls"),
      "train/001.tar": await shard(2, [1, 1], "cls"),
      "val/000.tar": await shard(3, [1, 0], "json"),
      "test/000.tar": await shard(4, [0, 0], "json"),
    });
    for (const source of [join(folder, "{train/{000..001},{val,test}/000}.tar"), folder]) {
      const summary = await prepareHere({ source });
      expect(summary.info.counts).toEqual({ train: 4, val: 2 });
      expect((await listed(summary, "val")).map(([, name]) => name)).toEqual(["1", "0"]);
      expect(summary.info.notes).toEqual(["left alone, there being validation files: 1 of test"]);
    }
  });

  test("the folders above don't tell what a shard is for; one that doesn't say is an error", async () => {
    const source = join(temporaryFolder(), "val-study", "of-trains");
    write(source, {
      "train-0.tar": await shard(1, [0, 1], "cls"),
      "val-0.tar": await shard(2, [1, 0], "cls"),
      "test-0.tar": await shard(3, [1, 1], "cls"),
    });
    expect((await prepareHere({ source })).info.counts).toEqual({ train: 2, val: 2 });
    write(source, { "extra-0.tar": await shard(4, [0, 1], "cls") });
    await expect(prepareHere({ source })).rejects.toThrow(/extra-0\.tar: neither train nor val in its name/);
  });

  test.each([
    ["cls", "cat\n", "cat"],
    ["cls.txt", "7", "7"],
    ["json", '{"label": 3, "caption": "a dog"}', "3"],
    ["json", '{"cls": "dog"}', "dog"],
    ["json", '{"label": null, "class_name": "emu"}', "emu"],
    ["json", "5", "5"],
  ])("the class is in key.%s: %j", async (extension, about, className) => {
    const folder = temporaryFolder();
    write(folder, {
      "set.tar": makeTar([
        { path: "./a/1.JPG", content: await drawJpeg(1) },
        { path: `./a/1.${extension}`, content: about },
      ]),
    });
    expect((await prepareHere({ source: join(folder, "set.tar"), valFraction: 0 })).classes).toEqual([className]);
  });

  test("keys with dots, keys that come again, several pictures of one key", async () => {
    const folder = temporaryFolder();
    const drawn = await Promise.all([1, 2, 3, 4, 5, 6, 7].map((seed) => drawJpeg(seed)));
    write(folder, {
      "set.tar": makeTar([
        ...[0, 1].flatMap((i) => [
          { path: `img.00${i}.jpg`, content: drawn[i] },
          { path: `img.00${i}.cls`, content: String(i) },
        ]),
        ...[2, 3].flatMap((i) => [
          { path: "again.jpg", content: drawn[i] },
          { path: "again.cls", content: String(i) },
        ]),
        { path: "pair.left.jpg", content: drawn[4] },
        { path: "pair.right.jpg", content: drawn[5] },
        { path: "pair.cls", content: "4" },
        { path: "masked.jpg", content: drawn[6] },
        { path: "masked.seg.png", content: drawn[0] },
        { path: "masked.cls", content: "5" },
        { path: "._masked.jpg", content: "what macOS adds" },
      ]),
    });
    const summary = await prepareHere({ source: join(folder, "set.tar"), valFraction: 0 });
    expect(await listed(summary, "train")).toEqual([
      ["set.tar!img.000.jpg", "0"],
      ["set.tar!img.001.jpg", "1"],
      ["set.tar!again.jpg", "2"],
      ["set.tar!again.jpg", "3"],
      ["set.tar!pair.left.jpg", "4"],
      ["set.tar!pair.right.jpg", "4"],
      ["set.tar!masked.jpg", "5"],
    ]);
    expect(summary.info.skipped).toBe(0);
  });

  test("no class next to any picture, as when a tar is sorted by extension: the error says what is missing", async () => {
    const folder = temporaryFolder();
    write(folder, {
      "set.tar": makeTar([
        { path: "a.jpg", content: await drawJpeg(1) },
        { path: "b.jpg", content: await drawJpeg(2) },
        { path: "a.cls", content: "0" },
        { path: "b.cls", content: "1" },
      ]),
    });
    await expect(prepareHere({ source: join(folder, "set.tar") })).rejects.toThrow(
      /taken for WebDataset shards, but no pictures to train on, and set\.tar!a\.jpg: no class: .* next to it; understood/,
    );
  });

  test("a sample without class is listed", async () => {
    const folder = temporaryFolder();
    write(folder, {
      "set.tar": makeTar([
        { path: "a.jpg", content: await drawJpeg(1) },
        { path: "a.cls", content: "0" },
        { path: "b.jpg", content: await drawJpeg(2) },
        { path: "b.json", content: "{not json" },
        { path: "c.txt", content: "only text" },
      ]),
    });
    const summary = await prepareHere({ source: join(folder, "set.tar") });
    expect(readSkipped(summary.skippedList)).toEqual([
      ["set.tar!b.jpg", "no class: neither b.cls nor a label in b.json, next to it"],
    ]);
  });
});

describe("hostile archives", () => {
  /** Makes a header's checksum right, which counts itself as spaces. */
  const seal = (header: Buffer) => {
    header.write("        ", 148);
    const sum = header.subarray(0, 512).reduce((a, b) => a + b, 0);
    header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  };

  const sampleOf = (key: string, content: Uint8Array, size?: number) => [
    { path: `${key}.cls`, content: "0" },
    { path: `${key}.jpg`, content, ...(size === undefined ? {} : { size }) },
  ];

  test("absolute paths, .., long and odd names: nothing is written anywhere, all is read", async () => {
    const folder = temporaryFolder();
    const keys = ["/etc/passwd", "../../up", "a\nb", "🐟", "x".repeat(255), `deep/${"y/".repeat(200)}z`];
    const drawn = await Promise.all(keys.map((_, i) => drawJpeg(i + 1)));
    write(folder, { "odd.tar": makeTar(keys.flatMap((key, i) => sampleOf(key, drawn[i]))) });
    const { info } = await prepareHere({ source: join(folder, "odd.tar"), valFraction: 0 });
    expect(info).toMatchObject({ counts: { train: keys.length }, skipped: 0 });
  });

  test("a truncated archive, and an entry that claims to be huge: what came before is kept, the rest named", async () => {
    const folder = temporaryFolder();
    const drawn = await Promise.all([1, 2, 3].map((seed) => drawJpeg(seed)));
    const whole = makeTar([...sampleOf("a", drawn[0]), ...sampleOf("b", drawn[1]), ...sampleOf("c", drawn[2])]);
    const cut = join(folder, "cut.tar");
    writeFileSync(cut, whole);
    truncateSync(cut, whole.length - 1024 - 600);
    const first = await prepareHere({ source: cut, valFraction: 0 });
    expect(first.info.counts.train).toBe(2);
    expect(readSkipped(first.skippedList)).toEqual([["cut.tar", "archive cut off in the middle of c.jpg"]]);
    write(folder, { "huge.tar": makeTar([...sampleOf("a", drawn[0]), ...sampleOf("b", drawn[1], 2 ** 40)]) });
    const second = await prepareHere({ source: join(folder, "huge.tar"), valFraction: 0 });
    expect(second.info.counts.train).toBe(1);
    expect(readSkipped(second.skippedList)).toEqual([["huge.tar", "archive cut off in the middle of b.jpg"]]);
  });

  test("long names with line breaks and emoji, as Python writes them", async () => {
    const folder = temporaryFolder();
    const key = `${"long ".repeat(60)}\n🐟`;
    write(folder, { "set.tar": makeTar([...sampleOf(key, await drawJpeg(1)), ...sampleOf("b", await drawJpeg(2))]) });
    const summary = await prepareHere({ source: join(folder, "set.tar"), valFraction: 0 });
    expect(await listed(summary, "train")).toEqual([
      [`set.tar!${key}.jpg`, "0"],
      ["set.tar!b.jpg", "0"],
    ]);
  });

  test.each([
    ["below nothing", (header: Buffer) => header.fill(0xff, 124, 134).writeUInt16BE(0xfe00, 134)],
    ["beyond all numbers", (header: Buffer) => header.fill(0x7f, 125, 136).writeUInt8(0x80, 124)],
    ["no number", (header: Buffer) => header.write("not a size", 124)],
    ["no number, in a pax header", undefined],
  ])("a size that is %s ends the archive, not the program", async (_, falsify) => {
    const folder = temporaryFolder();
    const [first, second] = [sampleOf("a", await drawJpeg(1)), sampleOf("b", await drawJpeg(2))];
    const bytes = makeTar([...first, ...second]);
    const at = makeTar(first).length - 1024;
    const header = bytes.subarray(at, at + 512);
    falsify?.(header);
    seal(header);
    const pax = makeTar([{ path: "pax", content: "12 size=abc\n" }]).subarray(0, 1024);
    pax.write("x", 156);
    seal(pax);
    write(folder, {
      "set.tar": falsify ? bytes : Buffer.concat([bytes.subarray(0, at), pax, bytes.subarray(at)]),
    });
    const { info, skippedList } = await prepareHere({ source: join(folder, "set.tar"), valFraction: 0 });
    expect(info.counts.train).toBe(1);
    expect(readSkipped(skippedList)).toEqual([
      ["set.tar", expect.stringMatching(/^damaged archive at byte \d+; nothing/)],
    ]);
  });

  test("archives that go away, or become shorter, between listing and reading", async () => {
    const folder = temporaryFolder();
    const pictures = await Promise.all([1, 2].map((seed) => drawJpeg(seed)));
    write(folder, {
      "0.tar": makeTar(sampleOf("z", pictures[0])),
      "1.tar": makeTar(sampleOf("a", pictures[0])),
      "2.tar": makeTar([...sampleOf("b", pictures[0]), ...sampleOf("c", pictures[1])]),
    });
    let begun = false;
    const { skippedList } = await prepareHere({
      source: folder,
      valFraction: 0,
      onEvent: ({ phase }) => {
        if (phase !== "preparing" || begun) return;
        begun = true;
        rmSync(join(folder, "1.tar"));
        truncateSync(join(folder, "2.tar"), 2048);
      },
    });
    expect(readSkipped(skippedList)).toEqual([
      ["1.tar!a.jpg", "no such file"],
      ["2.tar!b.jpg", expect.stringMatching(/^ends after \d+ of \d+ bytes$/)],
      ["2.tar!c.jpg", expect.stringMatching(/^ends after 0 of \d+ bytes$/)],
    ]);
  });

  test("a damaged header", async () => {
    const folder = temporaryFolder();
    const bytes = makeTar([...sampleOf("a", await drawJpeg(1)), ...sampleOf("b", await drawJpeg(2))]);
    bytes.fill(0x55, bytes.indexOf("b.cls"), bytes.indexOf("b.cls") + 300);
    write(folder, { "set.tar": bytes });
    const { info, skippedList } = await prepareHere({ source: join(folder, "set.tar"), valFraction: 0 });
    expect(info.counts.train).toBe(1);
    expect(readSkipped(skippedList)).toEqual([
      ["set.tar", expect.stringMatching(/^damaged archive at byte \d+; nothing behind it/)],
    ]);
  });
});

test("an archive that ends early fails the command whatever the share, as nobody knows what is missing", async () => {
  const folder = temporaryFolder();
  const files = await drawSome("", 40, 1);
  const whole = makeTar(
    Object.entries(files).flatMap(([path, content]) => [
      { path: path.replace("jpg", "cls"), content: "0" },
      { path, content },
    ]),
  );
  write(folder, { "a.tar": whole, "b.tar": whole.subarray(0, 6000), "c.tar": "" });
  const out = join(temporaryFolder(), "store");
  await expect(prepareHere({ source: folder, out, maxBad: 0.9 })).rejects.toThrow(
    /2 of the archives or folders could not be read to the end.*skipped\.csv.*the store is whole and kept; accept it \(maxBad: 1\)/,
  );
  const { info } = await prepareHere({ source: folder, out });
  expect(info.partial).toBe(2);
  expect(info.notes).toContainEqual(expect.stringMatching(/^incomplete: b\.tar \(archive cut off .*c\.tar \(/));
});

describe("Parquet", () => {
  const features = (names: readonly string[]) => ({
    key: "huggingface",
    value: JSON.stringify({
      info: { features: { picture: { _type: "Image" }, kind: { _type: "ClassLabel", names } } },
    }),
  });

  test("class names from the metadata in their own order, several row groups and files", async () => {
    const source = temporaryFolder();
    const drawn = Object.values(await drawSome("", 10, 1));
    const kvMetadata = [features(["zebra", "ant"])];
    write(source, {
      "data/train-00000-of-00002.parquet": makeParquet(drawn.slice(0, 5), [0, 1, 1, 0, 0], {
        kvMetadata,
        rowGroupSize: 2,
      }),
      "data/train-00001-of-00002.parquet": makeParquet(drawn.slice(5, 8), [1, 0, 1], { kvMetadata }),
      "data/validation-00000-of-00001.parquet": makeParquet(drawn.slice(8), [1, 0], { kvMetadata }),
    });
    const summary = await prepareHere({ source, workers: 2 });
    expect(summary.info.source.kind).toBe("Parquet files");
    expect(summary.classes).toEqual(["zebra", "ant"]);
    expect((await listed(summary, "train")).map(([, name]) => name)).toEqual([
      "zebra",
      "ant",
      "ant",
      "zebra",
      "zebra",
      "ant",
      "zebra",
      "ant",
    ]);
    expect((await listed(summary, "val"))[0]).toEqual(["validation-00000-of-00001.parquet#0", "ant"]);
    expect(difference(await pictureAt(summary, "train", 4), await decodePicture(drawn[4]))).toBe(0);
  });

  test("plain columns without metadata; rows without picture or class are listed", async () => {
    const folder = temporaryFolder();
    const drawn = Object.values(await drawSome("", 3, 1));
    write(folder, {
      "set.parquet": makeParquet([drawn[0], null, drawn[1], drawn[2], drawn[0]], ["b", "a", "", "a", null], {}, [
        "image",
        "label",
      ]),
    });
    const summary = await prepareHere({ source: join(folder, "set.parquet"), valFraction: 0 });
    expect((await listed(summary, "train")).map(([, name]) => name)).toEqual(["b", "a"]);
    expect(readSkipped(summary.skippedList)).toEqual([
      ["set.parquet#1", "no picture in this row"],
      ["set.parquet#2", "no class in this row"],
      ["set.parquet#4", "no class in this row"],
    ]);
  });

  test("null and -1 as numbers, bytes without struct, names that come twice", async () => {
    const folder = temporaryFolder();
    const drawn = Object.values(await drawSome("", 5, 1));
    const kvMetadata = [features(["crane", "ant", "crane"])];
    write(folder, { "set.parquet": makeParquet(drawn, [0, 2, null, -1, 1], { kvMetadata }) });
    const summary = await prepareHere({ source: join(folder, "set.parquet"), valFraction: 0 });
    expect(summary.classes).toEqual(["crane (0)", "ant", "crane (2)"]);
    expect(readSkipped(summary.skippedList)).toEqual([
      ["set.parquet#2", "no class in this row"],
      ["set.parquet#3", "no class in this row"],
    ]);
  });

  test("a file whose reading takes too long is given up, and the next is read", async () => {
    const folder = temporaryFolder();
    const path = join(folder, "a.parquet");
    const rows = 5000; // a row group each, so that describing them takes long
    const pictures = new Array<Buffer>(rows).fill(Buffer.from("picture"));
    write(folder, {
      "a.parquet": makeParquet(pictures, new Array(rows).fill("ant"), { rowGroupSize: 1 }, ["image", "label"]),
    });
    const reader = new ParquetReader();
    const [slow, next] = await Promise.allSettled([reader.describe(path, 0.001), reader.describe(path)]);
    await reader.close();
    expect(slow).toMatchObject({ reason: { code: "unusable-data", message: "takes more than 0.001 s to read" } });
    expect(next).toMatchObject({ value: { groups: new Array(rows).fill(1) } });
  });

  test("a folder for each split, as Hugging Face converts sets; a damaged file among them is named", async () => {
    const source = temporaryFolder();
    const drawn = Object.values(await drawSome("", 5, 1));
    const kvMetadata = [features(["zebra", "ant"])];
    write(source, {
      "train/0000.parquet": "PAR1 but not really PAR1",
      "train/0001.parquet": makeParquet(drawn.slice(0, 3), [0, 1, 1], { kvMetadata }),
      "validation/0000.parquet": makeParquet(drawn.slice(3), [1, 0], { kvMetadata }),
      "README.md": "",
    });
    const { info, skippedList } = await prepareHere({ source });
    expect(info).toMatchObject({ counts: { train: 3, val: 2 }, partial: 1 });
    expect(readSkipped(skippedList)).toEqual([["0000.parquet", expect.stringMatching(/^damaged Parquet file: /)]]);
  });

  test("columns that aren't there, and damaged files", async () => {
    const folder = temporaryFolder();
    const [drawn] = Object.values(await drawSome("", 1, 1));
    write(folder, {
      "set.parquet": makeParquet([drawn], [0], {}, ["photo", "label"]),
      "bad/x.parquet": "PAR1 but not really PAR1",
    });
    await expect(prepareHere({ source: join(folder, "set.parquet") })).rejects.toThrow(
      /no image column among photo.*understood: image or img/,
    );
    await expect(prepareHere({ source: join(folder, "bad") })).rejects.toMatchObject({ code: "damaged-file" });
  });
});
