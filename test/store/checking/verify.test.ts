import { cpSync, existsSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { sharp } from "#src/images/sharp.js";
import { meanImage, pictureSheet, viewSheet } from "#src/store/checking/inspect.js";
import { verify, verifyStore } from "#src/store/checking/verify.js";
import { keys, openForWriting, toBytes, toJson } from "#src/store/database.js";
import { batches } from "#src/store/reading/batches.js";
import { openStore, type Store } from "#src/store/store.js";
import { alexnet } from "../../support/command-line.js";
import { temporaryFolder } from "../../support/folders.js";
import { drawSet, drawSome, prepareHere, useStore, write } from "../../support/stores.js";
import { unwatched } from "../../support/task.js";

async function prepareSet(encoding: "raw" | "jpeg" = "raw"): Promise<string> {
  const source = temporaryFolder();
  await drawSet(source);
  return (await prepareHere({ source, encoding })).path;
}

const problemsOf = (path: string) => useStore(path, (store: Store) => verifyStore(store, { workers: 2 }, unwatched));

/** A copy of a store, with something changed in it. */
async function changed(path: string, change: (database: ReturnType<typeof openForWriting>) => void): Promise<string> {
  const copy = join(temporaryFolder(), "store");
  cpSync(path, copy, { recursive: true });
  const database = openForWriting(copy);
  database.transactionSync(() => change(database));
  await database.close();
  return copy;
}

describe("verify", () => {
  test.each(["raw", "jpeg"] as const)("a whole %s store has nothing wrong", async (encoding) => {
    const seen: number[] = [];
    const path = await prepareSet(encoding);
    await useStore(path, async (store) => {
      expect(await verifyStore(store, {}, { ...unwatched, report: ({ done }) => seen.push(done) })).toEqual([]);
      expect(await verify(path)).toEqual([]);
    });
    expect(seen.at(-1)).toBe(10);
  });

  test("names what has changed", async () => {
    const path = await prepareSet();
    const other = await changed(path, (database) => {
      const picture = Buffer.from(database.getBinary(keys.picture("val", 2)) ?? []);
      picture[1000] ^= 1;
      database.putSync(keys.picture("val", 2), picture);
      database.removeSync(keys.picture("train", 4));
    });
    expect(await problemsOf(other)).toEqual(["train picture 4: missing", "val picture 2: its bytes have changed"]);
    const told = alexnet("verify", other);
    expect(told.status).toBe(1);
    expect(told.stdout).toBe("train picture 4: missing\nval picture 2: its bytes have changed\n");
    expect(told.stderr).toBe(
      `alexnet: ${other}: damaged, see above; remove it and prepare it again: alexnet prepare --out ${other}\n`,
    );
    const labels = await changed(path, (database) => {
      database.putSync(keys.labels("train"), toBytes(Int32Array.of(0, 0, 1, 1, 1, 1)));
    });
    expect(await problemsOf(labels)).toEqual(["train picture 2: labelled 1, recorded as 0"]);
    const mean = await changed(path, (database) => {
      const bytes = Buffer.from(database.getBinary(keys.mean) ?? []);
      bytes.writeFloatLE(bytes.readFloatLE(400) + 1, 400);
      database.putSync(keys.mean, bytes);
    });
    expect(await problemsOf(mean)).toEqual(["the mean image is not that of the pictures (1 of 255 off at most)"]);
    const renamed = await changed(path, (database) => {
      const record = Buffer.from(database.getBinary(keys.record("train", 0)) ?? []);
      database.putSync(keys.record("train", 0), Buffer.concat([record, Buffer.from("x")]));
    });
    expect(await problemsOf(renamed)).toEqual(["the content is not what was prepared: its hash differs"]);
    const unrecorded = await changed(path, (database) => database.removeSync(keys.record("val", 0)));
    expect(await problemsOf(unrecorded)).toEqual([
      "val picture 0: its record is missing",
      "the content is not what was prepared: its hash differs",
    ]);
    const grown = await changed(path, (database) => {
      database.putSync(keys.picture("val", 4), database.getBinary(keys.picture("val", 3)) ?? Buffer.of());
      database.putSync(keys.skipped(0), toJson({ name: "a.jpg", reason: "none" }));
    });
    expect(await problemsOf(grown)).toEqual(["picture/val: 5 entries, not 4", "skipped: 1 entries, not 0"]);
  });

  test.each(["raw", "jpeg"] as const)("statistics and class names of a %s store, to the last bit", async (encoding) => {
    const path = await prepareSet(encoding);
    const covariance = await changed(path, (database) => {
      const bytes = Buffer.from(database.getBinary(keys.covariance) ?? []);
      bytes.writeDoubleLE(bytes.readDoubleLE(32) + 1, 32);
      database.putSync(keys.covariance, bytes);
    });
    expect(await problemsOf(covariance)).toEqual([
      encoding === "raw"
        ? "the colour covariance is not that of the pictures (1 off)"
        : "class names, mean image or colour covariance are not what was prepared: their hash differs",
    ]);
    const swapped = await changed(path, (database) => database.putSync(keys.classes, toJson(["dog", "cat"])));
    expect(await problemsOf(swapped)).toEqual([
      "class names, mean image or colour covariance are not what was prepared: their hash differs",
    ]);
  });

  test("is stopped by a signal, and nothing that was under way is left over", async () => {
    const source = temporaryFolder();
    write(source, await drawSome("a/", 400, 1));
    const { path } = await prepareHere({ source });
    const stop = new AbortController();
    await useStore(path, async (store) => {
      const stopped = verifyStore(store, { workers: 1 }, { signal: stop.signal, report: () => stop.abort("SIGTERM") });
      await expect(stopped).rejects.toMatchObject({ code: "interrupted", cause: "SIGTERM" });
      expect(await verifyStore(store, {}, unwatched)).toEqual([]);
    });
  });

  test("a JPEG that can't be decoded", async () => {
    const { createHash } = await import("node:crypto");
    const other = await changed(await prepareSet("jpeg"), (database) => {
      const rubbish = Buffer.from("no picture");
      const record = Buffer.from(database.getBinary(keys.record("train", 1)) ?? []);
      record.set(createHash("sha256").update(rubbish).digest());
      database.putSync(keys.picture("train", 1), rubbish);
      database.putSync(keys.record("train", 1), record);
    });
    expect((await problemsOf(other))[0]).toBe("train picture 1: can't be decoded");
  });

  test("stores damaged from outside are refused, not mapped", async () => {
    const path = await prepareSet();
    const cut = join(temporaryFolder(), "store");
    cpSync(path, cut, { recursive: true });
    truncateSync(join(cut, "data.mdb"), Math.floor(statSync(join(path, "data.mdb")).size / 2));
    await expect(openStore(cut)).rejects.toThrow(/data\.mdb is cut off: \d+ of \d+ bytes/);
    truncateSync(join(cut, "data.mdb"), 100);
    await expect(openStore(cut)).rejects.toThrow(/data\.mdb is something else/);
    const wrong = await changed(path, (database) =>
      database.putSync(keys.labels("val"), toBytes(Int32Array.of(0, 0, 1, 2))),
    );
    await expect(openStore(wrong)).rejects.toThrow(/damaged picture store: val picture 3 has label 2/);
    const newer = await changed(path, (database) => {
      const info = JSON.parse(Buffer.from(database.getBinary(keys.info) ?? []).toString());
      database.putSync(keys.info, Buffer.from(JSON.stringify({ ...info, version: 9 })));
    });
    await expect(openStore(newer)).rejects.toThrow(/format version 9, this program reads 1/);
    const partial = await changed(path, (database) =>
      database.putSync(keys.info, Buffer.from('{"format":"alexnet-store","version":1}')),
    );
    await expect(openStore(partial)).rejects.toThrow(/damaged picture store/);
    for (const key of [keys.info, keys.classes]) {
      const torn = await changed(path, (database) => database.putSync(key, Buffer.from('{"format')));
      await expect(openStore(torn)).rejects.toThrow(/damaged picture store: .*JSON.*; remove it and prepare it again/);
    }
  });
});

/** The first tiles of a sheet's row. */
async function tilesOf(sheet: Buffer, size: number): Promise<Buffer[]> {
  const tile = (left: number) => sharp(sheet).extract({ left, top: 4, width: size, height: size }).raw().toBuffer();
  return Promise.all([tile(4), tile(4 + size + 4)]);
}

/** As training has it with the seed that inspect takes. */
async function firstBatch(store: Store) {
  const options = { split: "train", views: "augmented", shuffle: true, epoch: 0, seed: 1 } as const;
  for await (const batch of batches(store, { ...options, batchSize: 4, cropSize: 256 })) return [batch] as const;
  throw new Error("no batch");
}

describe("inspect", () => {
  test("the mean image, and sheets of pictures and of what the network is fed", async () => {
    const source = temporaryFolder();
    write(source, await drawSome('a&<b>\u0001"/', 10, 1));
    const { path } = await prepareHere({ source, valFraction: 0 });
    await useStore(path, async (store) => {
      const mean = await sharp(await meanImage(store))
        .raw()
        .toBuffer({ resolveWithObject: true });
      expect(mean.info).toMatchObject({ width: 256, height: 256, channels: 3 });
      expect(mean.data.every((value, i) => value === Math.round(store.mean[i]))).toBe(true);
      const pictures = await sharp(await pictureSheet(store, { count: 9 })).metadata();
      expect([pictures.width, pictures.height]).toEqual([3 * 260 + 4, 3 * 278 + 4]);
      const views = await sharp(await viewSheet(store, { count: 4, cropSize: 227 }))
        .raw()
        .toBuffer({ resolveWithObject: true });
      const { width, height } = views.info;
      expect([width, height]).toEqual([2 * 231 + 4, 2 * 249 + 4]);
      const lastTile = Array.from({ length: 227 }, (_, i) => views.data[((4 + 249 + i) * width + 4 + 231 + i) * 3]);
      expect(
        lastTile.every((value) => value === 255),
        "all four places are filled",
      ).toBe(false);
      const [tile] = await tilesOf(await pictureSheet(store, { count: 4 }), 256);
      const [view] = await tilesOf(await viewSheet(store, { count: 4, cropSize: 256 }), 256);
      const [{ samples, views: fed }] = await firstBatch(store);
      expect(tile.equals(store.encoded("train", samples[0])), "the same picture at the same place").toBe(true);
      const { mirrored, colourShift } = fed[0];
      const shifted = (x: number) =>
        Math.min(255, Math.max(0, Math.round(tile[(mirrored ? 255 - x : x) * 3] + colourShift[0])));
      const row = Array.from({ length: 256 }, (_, x) => x);
      expect(row.map((x) => view[x * 3])).toEqual(row.map(shifted));
      expect(await viewSheet(store, { count: 4, cropSize: 227 })).toEqual(
        await viewSheet(store, { count: 4, cropSize: 227 }),
      );
      expect(await viewSheet(store, { count: 4, cropSize: 227, seed: 2 })).not.toEqual(
        await viewSheet(store, { count: 4, cropSize: 227 }),
      );
    });
  });
});

test("classes with the names of an object's methods are prepared, listed and drawn under them", async () => {
  const source = temporaryFolder();
  const names = ["__proto__", "constructor", "hasOwnProperty", "toString"];
  for (const [i, name] of names.entries()) write(source, await drawSome(`${name}/`, 3, i));
  const { path, classes } = await prepareHere({ source });
  expect(classes).toEqual(names);
  const { status, stdout, stderr } = alexnet("inspect", path, "--out", join(temporaryFolder(), "sheets"));
  expect(status, stderr).toBe(0);
  for (const name of names) expect(stdout).toMatch(new RegExp(`^${name} +2 +1$`, "m"));
});

describe("on the command line", () => {
  test("prepare, inspect and verify", async () => {
    const folder = temporaryFolder();
    await drawSet(join(folder, "photos"));
    write(join(folder, "photos"), { "train/cat/bad.jpg": "" });
    const store = join(folder, "store");
    const words = ["prepare", join(folder, "photos"), "--out", store, "--encoding", "jpeg"];
    const refused = alexnet(...words, "--max-bad", "1%");
    expect(refused.status).toBe(1);
    expect(refused.stderr).toMatch(/alexnet: .*1 of 11 pictures could not be read, more than 1 %/);
    const prepared = alexnet("prepare", join(folder, "photos"), "--out", store, "--max-bad", "10%");
    expect(prepared).toMatchObject({ status: 0 });
    expect(prepared.stdout).toMatch(/already prepared.*\njpeg, 2 classes, decoded by .*sharp/);
    expect(prepared.stdout).toMatch(/skipped: 1 picture \(9\.09 %\), see .*skipped\.csv/);
    const inspected = alexnet("inspect", store, "--out", join(folder, "look"), "--pictures", "4");
    expect(inspected).toMatchObject({ status: 0 });
    const table = /cat +3 +2\ndog +3 +2\nall +6 +4\n/;
    expect(prepared.stdout).toMatch(table);
    expect(inspected.stdout).toMatch(table);
    for (const name of ["mean.png", "pictures.png", "views.png"])
      expect(existsSync(join(folder, "look", name))).toBe(true);
    expect(JSON.parse(alexnet("inspect", store, "--json").stdout)).toMatchObject({
      encoding: "jpeg",
      classes: ["cat", "dog"],
      splits: [
        { split: "train", perClass: [3, 3] },
        { split: "val", perClass: [2, 2] },
      ],
    });
    const nowhere = alexnet("inspect", store, "--out", join(store, "data.mdb"));
    expect(nowhere.status).toBe(1);
    expect(nowhere.stderr).toMatch(/data\.mdb: can't be written \(a file is there\); choose another place \(--out\)/);
    expect(alexnet("verify", store)).toMatchObject({
      status: 0,
      stdout: `${store}: whole; 6 training and 4 validation pictures\n`,
    });
    expect(alexnet("verify", join(folder, "photos")).stderr).toMatch(/no picture store; make one with/);
  });

  test("of a thousand classes the first are listed, and all when asked for", async () => {
    const [source, store] = [temporaryFolder(), join(temporaryFolder(), "store")];
    const [picture] = Object.values(await drawSome("", 1));
    for (let i = 0; i < 1000; i++) write(source, { [`n${String(i).padStart(4, "0")}/1.jpg`]: picture });
    write(source, { "n0003/2.jpg": picture, "classes.txt": "n0003\tgoldfish, Carassius auratus\n" });
    const { stdout, stderr } = alexnet("prepare", source, "--out", store, "--encoding", "jpeg");
    expect(stdout, stderr).toMatch(/^train +1,000 +n0000 1 /m);
    expect(stdout).toMatch(/^n0003 goldfish, Carassius auratus +1 +1\n/m);
    expect(stdout).toMatch(/^and 980 more\nall +1,000 +1\n\(alexnet inspect .* --all-classes lists them\)/m);
    expect(stdout).toContain("leakage: 1 validation picture is in the training split too, see ");
    expect(stdout.split("\n").length).toBeLessThan(50);
    const all = alexnet("inspect", store, "--all-classes", "--out", join(store, "look")).stdout;
    expect(all).toMatch(/^n0999 +1 +0\nall /m);
    expect(all).toContain(`all of them: ${join(store, "duplicates.csv")}`);
  });

  test("bench loader measures a store", async () => {
    const path = await prepareSet();
    const { status, stdout } = alexnet("bench", "loader", path, "--pictures", "100", "--batch", "3", "--json");
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toEqual([
      {
        encoding: "raw",
        picturesPerSecond: expect.any(Number),
        bytesPerPicture: 196_608,
        memoryGrowthBytes: expect.any(Number),
      },
    ]);
    expect(JSON.parse(stdout)[0].picturesPerSecond).toBeGreaterThan(0);
  });
});
