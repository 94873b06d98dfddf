import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { decodePicture } from "#src/images/decode/decode.js";
import { ensurePrepared } from "#src/store/cache.js";
import type { PreparingEvent } from "#src/store/preparing/options.js";
import { prepare } from "#src/store/preparing/prepare.js";
import { chooseEncoding, requireSpace } from "#src/store/preparing/space.js";
import { openStore } from "#src/store/store.js";
import { addStoreUser } from "#src/store/users.js";
import { parseCsvLine, splitCsvLines } from "#src/system/csv.js";
import { train } from "#src/training/train.js";
import { difference, drawJpeg } from "../../support/draw.js";
import { temporaryFolder } from "../../support/folders.js";
import {
  contentOf,
  drawSet,
  drawSome,
  everythingIn,
  prepareHere,
  readSkipped,
  useStore,
  write,
} from "../../support/stores.js";
import { quickTraining } from "../../support/training.js";

describe("what a store holds", () => {
  test("pictures, labels, names and classes of train and val", async () => {
    const source = temporaryFolder();
    await drawSet(source);
    const { path, splits, classes } = await prepareHere({ source });
    expect(classes).toEqual(["cat", "dog"]);
    expect(splits.map(({ split, pictures }) => [split, pictures])).toEqual([
      ["train", 6],
      ["val", 4],
    ]);
    await useStore(path, async (store) => {
      expect(store.classes).toEqual(["cat", "dog"]);
      expect([...store.labels("train")]).toEqual([0, 0, 0, 1, 1, 1]);
      expect([...store.labels("val")]).toEqual([0, 0, 1, 1]);
      expect(store.fileName("val", 3)).toBe("val/dog/0001.jpg");
      const original = await decodePicture(await drawJpeg(4002, 41, 31));
      expect(difference(store.encoded("val", 3), original)).toBe(0);
    });
  });

  test("JPEG 95 with full colour resolution is close to raw, and several times smaller", async () => {
    const source = temporaryFolder();
    await drawSet(source);
    const { path } = await prepareHere({ source, encoding: "jpeg" });
    await useStore(path, async (store) => {
      const encoded = store.encoded("train", 0);
      expect(encoded.length).toBeLessThan(40_000);
      expect(difference(await decodePicture(encoded), await decodePicture(await drawJpeg(1001, 40, 30)))).toBeLessThan(
        2,
      );
      expect(store.info.encoding).toBe("jpeg");
      expect(store.info.decoder).toMatch(/sharp \d/);
    });
  });

  test("mean image and colour covariance are those of the training pictures, exactly", async () => {
    const source = temporaryFolder();
    await drawSet(source);
    const { path } = await prepareHere({ source });
    await useStore(path, (store) => {
      const pictures = Array.from({ length: 6 }, (_, i) => store.encoded("train", i));
      const at = [0, 1, 2, 98_304, 196_607];
      for (const i of at)
        expect(store.mean[i]).toBe(Math.fround(pictures.reduce((sum, picture) => sum + picture[i], 0) / 6));
      const pixels = pictures.length * (pictures[0].length / 3);
      for (const one of [0, 1, 2])
        for (const other of [0, 1, 2]) {
          let [sum, otherSum, products] = [0n, 0n, 0n];
          for (const picture of pictures)
            for (let i = 0; i < picture.length; i += 3) {
              sum += BigInt(picture[i + one]);
              otherSum += BigInt(picture[i + other]);
              products += BigInt(picture[i + one] * picture[i + other]);
            }
          const exact = Number(products * BigInt(pixels) - sum * otherSum) / pixels ** 2;
          expect(store.covariance[one * 3 + other]).toBeCloseTo(exact, 8);
        }
      const trace = store.covariance[0] + store.covariance[4] + store.covariance[8];
      expect(store.colour.values.reduce((a, b) => a + b)).toBeCloseTo(trace, 8);
    });
  });

  test.each(["raw", "jpeg"] as const)("the same %s content with 1, 2, 3 and 4 workers", async (encoding) => {
    const source = temporaryFolder();
    write(source, { ...(await drawSome("a/", 140, 1)), ...(await drawSome("b/", 25, 2)), "b/bad.jpg": "no picture" });
    const one = await prepareHere({ source, encoding, workers: 1 });
    for (const workers of [2, 3, 4]) {
      const other = await prepareHere({ source, encoding, workers });
      expect(await everythingIn(other.path), `${workers} workers`).toEqual(await everythingIn(one.path));
    }
  });

  test("raw while the set stays under a quarter of the free disk", async () => {
    const source = temporaryFolder();
    await drawSet(source);
    expect((await prepareHere({ source, encoding: "auto" })).info.encoding).toBe("raw");
  });
});

describe("splits and classes", () => {
  test("without validation pictures a stratified part is drawn, the same for the same seed", async () => {
    const source = temporaryFolder();
    write(source, {
      ...(await drawSome("a/", 30, 1)),
      ...(await drawSome("b/", 11, 2)),
      ...(await drawSome("c/", 1, 3)),
    });
    const draw = async (seed: number, valFraction = 0.2) => {
      const { path } = await prepareHere({ source, seed, valFraction });
      return useStore(path, (store) => ({
        labels: [...store.labels("val")],
        names: Array.from({ length: store.count("val") }, (_, i) => store.fileName("val", i)),
        training: store.count("train"),
      }));
    };
    const first = await draw(1);
    expect(first.labels).toEqual([0, 0, 0, 0, 0, 0, 1, 1]); // 20 % of 30 and of 11; a single picture is trained on
    expect(first.training).toBe(34);
    expect(await draw(1)).toEqual(first);
    expect((await draw(2)).names).not.toEqual(first.names);
    expect((await draw(1, 0)).labels).toEqual([]);
  });

  test.each(["validation", "valid", "test"])("%s/ counts as validation", async (name) => {
    const source = temporaryFolder();
    write(source, { ...(await drawSome("train/a/", 2, 1)), ...(await drawSome(`${name}/a/`, 1, 2)) });
    const { info } = await prepareHere({ source });
    expect(info.counts).toEqual({ train: 2, val: 1 });
  });

  test("validation classes that differ are an error that names them, unless allowed", async () => {
    const source = temporaryFolder();
    await drawSet(source);
    write(source, { ...(await drawSome("val/yak/", 2, 5)), ...(await drawSome("train/emu/", 1, 6)) });
    await expect(prepareHere({ source })).rejects.toThrow(
      /only in validation: yak; only in training: emu.*\(allowMissingClasses: true\)/,
    );
    const { info, classes } = await prepareHere({ source, allowMissingClasses: true });
    expect(classes).toEqual(["cat", "dog", "emu"]);
    expect(info).toMatchObject({ counts: { train: 7, val: 4 }, leftOut: 2, skipped: 0 });
    expect(info.notes).toEqual(["left out, being in validation only: yak", "without validation pictures: emu"]);
  });

  test("one class, and classes that differ in case only, are said aloud", async () => {
    const source = temporaryFolder();
    write(source, await drawSome("Cat/", 2, 1));
    expect((await prepareHere({ source })).info.notes).toEqual([
      "only one class (Cat): there is nothing to tell it apart from",
    ]);
    write(source, await drawSome("cat/", 2, 2));
    const { info, classes } = await prepareHere({ source });
    expect(classes).toEqual(["Cat", "cat"]);
    expect(info.notes).toEqual(["classes that differ in case only: Cat, cat"]);
  });

  test("display names from classes.txt", async () => {
    const source = temporaryFolder();
    write(source, {
      ...(await drawSome("n01443537/", 2, 1)),
      ...(await drawSome("n01440764/", 2, 2)),
      "classes.txt": "n01443537\tgoldfish, Carassius auratus\r\nn01440764\ttench\nn99\tunused\n",
    });
    const { info } = await prepareHere({ source });
    expect(info.titles).toEqual({ n01443537: "goldfish, Carassius auratus", n01440764: "tench" });
  });

  test("folders inside a class belong to it", async () => {
    const source = temporaryFolder();
    write(source, {
      ...(await drawSome("a/x/y/", 2, 1)),
      ...(await drawSome("a/", 1, 2)),
      ...(await drawSome("b/", 3, 3)),
    });
    const { classes, info } = await prepareHere({ source, valFraction: 0 });
    expect(classes).toEqual(["a", "b"]);
    expect(info.counts.train).toBe(6);
  });
});

describe("what can't be read", () => {
  test("is skipped and listed, whatever its name", async () => {
    const source = temporaryFolder();
    await drawSet(source);
    const odd = 'train/cat/a, "b"\nc.jpg';
    write(source, {
      [odd]: "<html></html>",
      "train/cat/empty.jpg": "",
      "train/dog/🐕.jpg": (await drawJpeg(1, 300, 300)).subarray(0, 900),
      "train/dog/drawing.svg": '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
      "train/dog/notes.txt": "not meant as a picture",
    });
    symlinkSync("nowhere.jpg", join(source, "val/dog/lost.jpg"));
    symlinkSync("..", join(source, "train/dog/loop"));
    const { info, skippedList } = await prepareHere({ source });
    expect(info.counts).toEqual({ train: 6, val: 4 });
    expect(readSkipped(skippedList)).toEqual([
      [odd, "not a picture: HTML"],
      ["train/cat/empty.jpg", "empty file"],
      ["train/dog/drawing.svg", "SVG can refer to other files and is read only when asked for"],
      ["train/dog/🐕.jpg", "truncated JPEG (0.9 kB)"],
      ["val/dog/lost.jpg", "no such file"],
    ]);
  });

  test("fails beyond maxBad, and keeps the store", async () => {
    const source = temporaryFolder();
    await drawSet(source);
    write(source, { "train/cat/bad.jpg": "" });
    const out = join(temporaryFolder(), "store");
    await expect(prepareHere({ source, out, maxBad: 0.05 })).rejects.toThrow(
      /1 of 11 pictures could not be read, more than 5 %.*skipped\.csv/,
    );
    expect((await prepareHere({ source, out, maxBad: 0.1 })).reused).toBe(true);
  });

  test("a few are accepted however large their share is, unless a share is asked for", async () => {
    const source = temporaryFolder();
    await drawSet(source);
    const bad = Array.from({ length: 6 }, (_, i) => [`train/cat/${i}.heic`, ""] as const);
    write(source, Object.fromEntries(bad.slice(0, 5)));
    expect((await prepareHere({ source, maxBad: undefined })).info.skipped).toBe(5);
    await expect(prepareHere({ source, maxBad: 0.1 })).rejects.toThrow(/5 of 15 pictures could not be read/);
    write(source, Object.fromEntries(bad));
    await expect(prepareHere({ source, maxBad: undefined })).rejects.toMatchObject({
      code: "unusable-data",
      message: expect.stringMatching(/6 of 16 pictures could not be read, more than 1 %/),
      hints: [{ option: "maxBad" }],
    });
  });

  test("training has the same rule", async () => {
    const folder = temporaryFolder();
    vi.stubEnv("ALEXNET_CACHE", join(folder, "cache"));
    const source = join(folder, "set");
    await drawSet(source);
    write(source, Object.fromEntries(Array.from({ length: 6 }, (_, i) => [`train/cat/${i}.heic`, ""])));
    const run = join(folder, "run");
    const options = quickTraining(source, run, { epochs: 1 });
    await expect(train(options)).rejects.toMatchObject({ code: "unusable-data", hints: [{ option: "maxBad" }] });
    expect(existsSync(run)).toBe(false);
    await expect(train({ ...options, preparation: { maxBad: 0.5 } })).resolves.toMatchObject({ run });
    vi.unstubAllEnvs();
  });

  test("a cache that can't be written to: an error that names what moves it", async () => {
    const folder = temporaryFolder();
    await drawSet(join(folder, "set"));
    writeFileSync(join(folder, "file"), "");
    vi.stubEnv("ALEXNET_CACHE", join(folder, "file", "cache"));
    const preparing = ensurePrepared(join(folder, "set"));
    await expect(preparing).rejects.toMatchObject({ code: "disk", hints: [] });
    await expect(preparing).rejects.toThrow(/no store can be written there \(ENOTDIR\).*ALEXNET_CACHE/);
    vi.unstubAllEnvs();
  });

  test("is fatal when nothing is left", async () => {
    const source = temporaryFolder();
    write(source, { "cat/1.jpg": "no", "dog/2.jpg": "no" });
    await expect(prepareHere({ source })).rejects.toThrow(/no readable picture to train on/);
  });

  test("files that go away or lose their permission while it runs", async () => {
    const source = temporaryFolder();
    write(source, await drawSome("a/", 60, 1));
    let begun = false;
    const { info, skippedList } = await prepareHere({
      source,
      valFraction: 0,
      onEvent: ({ phase, done }) => {
        if (phase !== "preparing" || done > 0 || begun) return;
        begun = true;
        rmSync(join(source, "a/0058.jpg"));
        rmSync(join(source, "a/0059.jpg"));
        mkdirSync(join(source, "a/0059.jpg"));
        if (process.getuid?.() !== 0) chmodSync(join(source, "a/0057.jpg"), 0); // root may read everything
      },
    });
    const listed = readSkipped(skippedList);
    expect(listed.slice(-2)).toEqual([
      ["a/0058.jpg", "no such file"],
      ["a/0059.jpg", "a folder, not a picture"],
    ]);
    expect(info.counts.train + info.skipped).toBe(60);
  });

  test("the same picture twice is counted, across splits as leakage", async () => {
    const source = temporaryFolder();
    await drawSet(source);
    const twice = await drawJpeg(1001, 40, 30);
    write(source, { "train/dog/copy.jpg": twice, "val/cat/leak.jpg": twice, "val/dog/leak2.jpg": twice });
    const again = await drawJpeg(3001, 40, 30);
    write(source, { 'val/dog/a, "b"\n.jpg': again, ...(await drawSome("train/cat/z", 12, 5)) });
    write(source, await drawSome("train/dog/z", 12, 5));
    const { info, duplicatesList } = await prepareHere({ source });
    expect(info.duplicates).toMatchObject({ train: 13, val: 1, across: 2 });
    const { examples } = info.duplicates;
    expect(examples).toHaveLength(10);
    expect(examples[0], "leakage first").toEqual(["train/cat/0000.jpg", "val/cat/leak.jpg", "val/dog/leak2.jpg"]);
    const list = splitCsvLines(readFileSync(duplicatesList, "utf8")).map(parseCsvLine);
    expect(list.slice(0, 7)).toEqual([
      ["group", "split", "class", "file"],
      ["1", "train", "cat", "train/cat/0000.jpg"],
      ["1", "train", "dog", "train/dog/copy.jpg"],
      ["1", "val", "cat", "val/cat/leak.jpg"],
      ["1", "val", "dog", "val/dog/leak2.jpg"],
      ["2", "train", "cat", "train/cat/z0000.jpg"],
      ["2", "train", "dog", "train/dog/z0000.jpg"],
    ]);
    expect(list.slice(-2)).toEqual([
      ["14", "val", "cat", "val/cat/0000.jpg"],
      ["14", "val", "dog", 'val/dog/a, "b"\n.jpg'],
    ]);
    expect(list).toHaveLength(1 + 4 + 12 * 2 + 2);
  });
});

describe("what is asked for wrongly", () => {
  test("sources it can't understand: what was found and what is understood", async () => {
    const source = temporaryFolder();
    await expect(prepareHere({ source: join(source, "none") })).rejects.toThrow(
      /none: no such file or folder; understood: folders/,
    );
    await expect(prepareHere({ source })).rejects.toThrow(/an empty folder; understood/);
    write(source, { "a.jpg": await drawJpeg(1), "b.jpg": await drawJpeg(2), "c.txt": "" });
    await expect(prepareHere({ source })).rejects.toThrow(
      /no class folders, only files \(2 \.jpg, 1 \.txt\); understood/,
    );
    await expect(prepareHere({ source: join(source, "c.txt") })).rejects.toThrow(
      /a single file \(\.txt\) that is no archive/,
    );
    mkdirSync(join(source, "cat"));
    await expect(prepareHere({ source })).rejects.toThrow(/no pictures to train on/);
  });

  test("a place that holds something else is left alone", async () => {
    const [source, out] = [temporaryFolder(), temporaryFolder()];
    await drawSet(source);
    await expect(prepareHere({ source, out: join(source, "train/cat/0000.jpg") })).rejects.toThrow(
      /0000\.jpg: a file, not a folder; choose another folder \(out\)/,
    );
    await expect(prepareHere({ source, out: join(source, "train/cat/0000.jpg/store") })).rejects.toThrow(
      /no store can be written there \(ENOTDIR\); choose another folder \(out\)/,
    );
    write(out, { "thesis.tex": "" });
    await expect(prepareHere({ source, out })).rejects.toMatchObject({ code: "already-exists" });
    expect(readdirSync(out)).toEqual(["thesis.tex"]);
    write(out, { "data.mdb": "not a database" });
    await expect(prepareHere({ source, out })).rejects.toThrow(/not a readable picture store/);
  });

  test("a store that isn't one, or is not finished, says what to do", async () => {
    await expect(openStore(temporaryFolder())).rejects.toThrow(/no picture store; make one with: prepare\(/);
    const source = temporaryFolder();
    await drawSet(source);
    const out = join(temporaryFolder(), "store");
    const stop = AbortSignal.abort();
    await expect(prepareHere({ source, out, signal: stop })).rejects.toMatchObject({ code: "interrupted" });
    await expect(openStore(out)).rejects.toThrow(/not finished; finish it with the call that began it: prepare/);
  });
});

describe("the disk", () => {
  test("raw up to a quarter of what is free; more than there is room for is refused", () => {
    expect(chooseEncoding("auto", 256, 1000, 1e9)).toBe("raw");
    expect(chooseEncoding("auto", 256, 10_000, 1e9)).toBe("jpeg");
    expect(chooseEncoding("raw", 256, 10_000, 1e9)).toBe("raw");
    expect(() => requireSpace("raw", 256, 10_000, 3e9, "out")).not.toThrow();
    expect(() => requireSpace("raw", 256, 10_000, 1e9, "out")).toThrow(
      'out: 10000 pictures as raw need about 2.02 GB, 1.00 GB are free; keep them as JPEGs (encoding: "jpeg"), or choose a folder on another disk (out)',
    );
    expect(() => requireSpace("jpeg", 256, 1_300_000, 1e9, "out")).toThrow(
      /need about 37\.7 GB.*choose a folder on another disk \(out\)/,
    );
  });

  test.skipIf(process.platform === "win32")("full on the way, it says so, and goes on when there is room", async () => {
    const source = temporaryFolder();
    write(source, await drawSome("a/", 140, 1));
    const out = join(temporaryFolder(), "store");
    const program = `
      import { prepare } from ${JSON.stringify(new URL("../../../dist/store/preparing/prepare.js", import.meta.url).href)};
      await prepare({ source: ${JSON.stringify(source)}, out: ${JSON.stringify(out)}, encoding: "raw", workers: 1 });
    `;
    // A limit on the size of files ends in the same place as a full disk: 16 MB, of 28 needed.
    const limited = spawnSync(
      "sh",
      ["-c", 'ulimit -f 32768; exec "$0" --input-type=module -e "$1"', process.execPath, program],
      { encoding: "utf8" },
    );
    expect(limited.stderr).toMatch(/store: the disk is full \(.*\); make room, then the same again goes on/);
    await expect(openStore(out)).rejects.toThrow(/not finished/);
    const { path } = await prepareHere({ source, out });
    const alone = await prepareHere({ source });
    expect(await useStore(path, contentOf)).toEqual(await useStore(alone.path, contentOf));
  });
});

describe("again", () => {
  test("a finished store is kept while its source is the same, and never overwritten", async () => {
    const source = temporaryFolder();
    await drawSet(source);
    const { path, reused } = await prepareHere({ source });
    expect(reused).toBe(false);
    expect((await prepareHere({ source, out: path })).reused).toBe(true);
    write(source, await drawSome("train/cat/new", 1, 9));
    await expect(prepareHere({ source, out: path })).rejects.toThrow(
      /already a store of other pictures or options \(files of .* were added, removed or changed since\)/,
    );
  });

  test.each([
    [{ seed: 7 }, "seed 1, not 7"],
    [{ valFraction: 0.3 }, "share for validation 0.1, not 0.3"],
    [{ encoding: "jpeg" }, "kept as raw, not jpeg"],
    [{ allowSvg: true }, "without SVG"],
    [{ allowMissingClasses: true }, "without missing classes allowed"],
  ] as const)("a finished store is not taken for one with %j", async (options, difference) => {
    const source = temporaryFolder();
    await drawSet(source);
    const { path } = await prepareHere({ source });
    await expect(prepareHere({ source, out: path, ...options })).rejects.toThrow(`(${difference}); ask for the same`);
    expect((await prepareHere({ source, out: path, encoding: "auto" })).reused).toBe(true);
  });

  test("stopped by a signal it goes on, and ends with the same content", async () => {
    const source = temporaryFolder();
    write(source, { ...(await drawSome("a/", 150, 1)), ...(await drawSome("b/", 150, 2)), "a/bad.jpg": "" });
    const whole = await prepareHere({ source, workers: 2 });
    const out = join(temporaryFolder(), "store");
    const stop = new AbortController();
    const onEvent = ({ phase, done }: PreparingEvent) => {
      if (phase === "preparing" && done >= 128) stop.abort();
    };
    await expect(prepareHere({ source, out, workers: 2, signal: stop.signal, onEvent })).rejects.toMatchObject({
      code: "interrupted",
    });
    let first: number | undefined;
    const rest = await prepareHere({
      source,
      out,
      onEvent: ({ phase, done }) => {
        if (phase === "preparing") first ??= done;
      },
    });
    expect(first).toBeGreaterThanOrEqual(128);
    expect(await useStore(rest.path, contentOf)).toEqual(await useStore(whole.path, contentOf));
  });

  test("an unfinished store is gone on with by the same command only", async () => {
    const source = temporaryFolder();
    write(source, await drawSome("a/", 40, 1));
    const out = join(temporaryFolder(), "store");
    const stop = new AbortController();
    const onEvent = ({ phase }: PreparingEvent) => phase === "preparing" && stop.abort();
    await expect(prepareHere({ source, out, onEvent, signal: stop.signal })).rejects.toMatchObject({
      code: "interrupted",
    });
    await expect(prepareHere({ source, out, seed: 7, encoding: "jpeg" })).rejects.toThrow(
      /an unfinished store of other pictures or options \(seed 1, not 7; kept as raw, not jpeg\); ask for the same/,
    );
    const other = temporaryFolder();
    await expect(prepareHere({ source: other, out })).rejects.toThrow(/an empty folder/);
    write(other, await drawSome("a/", 40, 1));
    await expect(prepareHere({ source: other, out })).rejects.toThrow(`(pictures of ${source}, not ${other})`);
    expect((await prepareHere({ source, out })).info.counts.train).toBe(36);
  });

  test("going on can be stopped while it looks whether the pictures are as they were", async () => {
    const source = temporaryFolder();
    const [picture] = Object.values(await drawSome("", 1));
    write(source, Object.fromEntries(Array.from({ length: 600 }, (_, i) => [`a/${i}.jpg`, picture])));
    const out = join(temporaryFolder(), "store");
    for (const phase of ["preparing", "listing"]) {
      const stop = new AbortController();
      const seen: string[] = [];
      const onEvent = (progress: PreparingEvent) => {
        seen.push(progress.phase);
        if (progress.phase === phase) stop.abort();
      };
      await expect(prepareHere({ source, out, onEvent, signal: stop.signal })).rejects.toMatchObject({
        code: "interrupted",
      });
      expect(seen.at(-1)).toBe(phase);
    }
    expect((await prepareHere({ source, out })).info.counts).toEqual({ train: 540, val: 60 });
  });

  test.each(["added", "removed", "written to"])(
    "an unfinished store is not mixed with a picture %s since",
    async (how) => {
      const source = temporaryFolder();
      write(source, await drawSome("a/", 40, 1));
      const out = join(temporaryFolder(), "store");
      const stop = new AbortController();
      const onEvent = ({ phase }: PreparingEvent) => phase === "preparing" && stop.abort();
      const begun = prepareHere({ source, out, onEvent, signal: stop.signal });
      await expect(begun).rejects.toMatchObject({ code: "interrupted" });
      if (how === "added") write(source, await drawSome("a/more", 1, 2));
      if (how === "removed") rmSync(join(source, "a/0039.jpg"));
      if (how === "written to") utimesSync(join(source, "a/0039.jpg"), 1, 1);
      await expect(prepareHere({ source, out })).rejects.toThrow(
        `(files of ${source} were added, removed or changed since); ask for the same, remove it to begin anew`,
      );
      rmSync(out, { recursive: true });
      expect((await prepareHere({ source, out })).reused).toBe(false);
    },
  );

  test("training's own store is made once, kept while the folder is unchanged, outside of it", async () => {
    const source = temporaryFolder();
    await drawSet(source);
    process.env.ALEXNET_CACHE = temporaryFolder();
    let prepared = 0;
    const options = {
      encoding: "raw",
      workers: 1,
      onEvent: ({ phase }: PreparingEvent) => {
        if (phase === "finishing") prepared++;
      },
    } as const;
    const before = readdirSync(source);
    const store = await ensurePrepared(source, options);
    expect(store.startsWith(process.env.ALEXNET_CACHE)).toBe(true);
    expect(readdirSync(source)).toEqual(before);
    expect(await ensurePrepared(source, options)).toBe(store);
    expect(prepared).toBe(1);
    const run = join(source, "..", `${basename(source)}-run.json`);
    writeFileSync(run, "{}");
    addStoreUser(store, run);
    utimesSync(join(source, "train/cat/0000.jpg"), 1, 1);
    const second = await ensurePrepared(source, options);
    expect(prepared).toBe(2);
    expect([store, second].map((path) => existsSync(path))).toEqual([true, true]);
    rmSync(run);
    utimesSync(join(source, "train/cat/0000.jpg"), 2, 2);
    const third = await ensurePrepared(source, options);
    expect([store, second, third].map((path) => existsSync(path))).toEqual([false, false, true]);
    renameSync(join(source, "train/cat/0000.jpg"), join(source, "train/cat/x.jpg"));
    write(source, { "train/cat/bad.jpg": "no picture" });
    const last = await ensurePrepared(source, options);
    expect(await useStore(last, ({ info }) => info.skipped)).toBe(1);
    expect(await ensurePrepared(last)).toBe(last);
    delete process.env.ALEXNET_CACHE;
  });

  test("two at once do not mix", async () => {
    const source = temporaryFolder();
    write(source, await drawSome("a/", 120, 1));
    const out = join(temporaryFolder(), "store");
    const results = await Promise.allSettled([
      prepare({ source, out, encoding: "raw" }),
      prepare({ source, out, encoding: "raw" }),
    ]);
    const refused = results.filter((result) => result.status === "rejected");
    expect(refused.map(({ reason }) => reason.message)).toEqual([
      `${out}: another process is preparing this store; let it finish`,
    ]);
    const { path, reused } = await prepareHere({ source, out, encoding: "raw" });
    expect(reused).toBe(true);
    const alone = await prepareHere({ source });
    expect(await useStore(path, contentOf)).toEqual(await useStore(alone.path, contentOf));
    expect(existsSync(join(out, "skipped.csv"))).toBe(true);
  });
});
