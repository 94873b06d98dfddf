import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { PrepareSummary } from "#src/dataset/prepare.js";
import { decodePicture } from "#src/images/decode.js";
import { difference, drawJpeg } from "../images/draw.js";
import { makeMetaMat, makeParquet, makeTar } from "./archives.js";
import { drawSome, prepareHere, readSkipped, temporaryFolder, useStore, write } from "./fixtures.js";

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
      "set.parquet": makeParquet([drawn[0], null, drawn[1], drawn[2]], ["b", "a", "", "a"], {}, ["image", "label"]),
    });
    const summary = await prepareHere({ source: join(folder, "set.parquet"), valFraction: 0 });
    expect((await listed(summary, "train")).map(([, name]) => name)).toEqual(["b", "a"]);
    expect(readSkipped(summary.skippedList)).toEqual([
      ["set.parquet#1", "no picture in this row"],
      ["set.parquet#2", "no class in this row"],
    ]);
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
    await expect(prepareHere({ source: join(folder, "bad") })).rejects.toMatchObject({ code: "data" });
  });
});
