import { fork } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { verifyStore } from "#src/store/checking/verify.js";
import { prepare } from "#src/store/preparing/prepare.js";
import type { PrepareSummary } from "#src/store/preparing/summary.js";
import { type BatchOptions, batches, countBatches, type LoadedBatch } from "#src/store/reading/batches.js";
import { type Encoding, openStore, type Store } from "#src/store/store.js";
import { temporaryFolder } from "../../support/folders.js";
import { drawSome, write } from "../../support/stores.js";
import { unwatched } from "../../support/task.js";

const folder = temporaryFolder();
const stores = new Map<Encoding, PrepareSummary>();

beforeAll(async () => {
  const source = join(folder, "source");
  write(source, {
    ...(await drawSome("train/a/", 23, 1)),
    ...(await drawSome("train/b/", 14, 2)),
    ...(await drawSome("val/a/", 5, 3)),
    ...(await drawSome("val/b/", 4, 4)),
  });
  for (const encoding of ["raw", "jpeg"] as const)
    stores.set(encoding, await prepare({ source, out: join(folder, encoding), encoding, workers: 1 }));
});

async function use<T>(encoding: Encoding, action: (store: Store) => Promise<T>): Promise<T> {
  const store = await openStore(stores.get(encoding)?.path ?? "");
  return action(store).finally(() => store.close());
}

const training = { split: "train", batchSize: 8, views: "augmented", cropSize: 227, seed: 3, shuffle: true } as const;

const hash = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

async function collect(store: Store, options: BatchOptions) {
  const found = [];
  for await (const batch of batches(store, options)) {
    found.push({
      samples: [...batch.samples],
      views: batch.views,
      labels: [...batch.labels],
      pictures: hash(batch.pictures),
    });
    batch.release();
  }
  return found;
}

describe.each(["raw", "jpeg"] as const)("batches of a %s store", (encoding) => {
  test("hold every picture once, with its label and pixels", () =>
    use(encoding, async (store) => {
      const found = await collect(store, training);
      expect(found.map(({ samples }) => samples.length)).toEqual([7, 7, 8, 7, 8]);
      expect(countBatches(store, training)).toBe(5);
      const samples = found.flatMap((batch) => batch.samples);
      expect([...samples].sort((a, b) => a - b)).toEqual(Array.from({ length: 37 }, (_, i) => i));
      for (const { samples, labels, pictures, views } of found) {
        expect(labels).toEqual(samples.map((sample) => store.labels("train")[sample]));
        expect(views.map(({ picture }) => picture)).toEqual(samples.map((_, i) => i));
        if (encoding === "raw")
          expect(pictures).toBe(hash(Buffer.concat(samples.map((sample) => store.encoded("train", sample)))));
      }
    }));

  test("are the same with 1, 2 or 4 workers", () =>
    use(encoding, async (store) => {
      const one = await collect(store, { ...training, workers: 1 });
      for (const workers of [2, 4]) expect(await collect(store, { ...training, workers })).toEqual(one);
    }));
});

describe("batches", () => {
  test("in the store's order are full but the last", () =>
    use("raw", async (store) => {
      const found = await collect(store, { ...training, shuffle: false });
      expect(found.map(({ samples }) => samples.length)).toEqual([8, 8, 8, 8, 5]);
      expect(found.flatMap(({ samples }) => samples)).toEqual(Array.from({ length: 37 }, (_, i) => i));
    }));

  test("another order each epoch, the same for the same seed", () =>
    use("raw", async (store) => {
      const order = async (epoch: number, seed = 3) =>
        (await collect(store, { ...training, seed, epoch })).flatMap(({ samples }) => samples);
      const first = await order(0);
      expect(await order(0)).toEqual(first);
      expect(await order(1)).not.toEqual(first);
      expect(await order(0, 4)).not.toEqual(first);
    }));

  test("begin inside an epoch where they would have been", () =>
    use("raw", async (store) => {
      const whole = await collect(store, training);
      const rest = await collect(store, { ...training, firstBatch: 3 });
      expect(rest.map(({ samples, views }) => [samples, views])).toEqual(
        whole.slice(3).map(({ samples, views }) => [samples, views]),
      );
      expect(await collect(store, { ...training, firstBatch: 5 })).toEqual([]);
    }));

  test("ten views of a picture share its pixels", () =>
    use("raw", async (store) => {
      const options = { split: "val", views: "ten", batchSize: 35, cropSize: 227 } as const;
      const found = await collect(store, options);
      expect(found.map(({ samples, views, labels }) => [samples.length, views.length, labels.length])).toEqual([
        [3, 30, 30],
        [3, 30, 30],
        [3, 30, 30],
      ]);
      expect(found[1].samples).toEqual([3, 4, 5]);
      expect(found[1].views[10].picture).toBe(1);
      expect(found[1].labels.slice(10, 25)).toEqual([...Array(10).fill(0), ...Array(5).fill(1)]);
      await expect(collect(store, { ...options, batchSize: 9 })).rejects.toMatchObject({ code: "invalid-option" });
    }));

  test("stop when told to, and when left early", () =>
    use("raw", async (store) => {
      const stop = new AbortController();
      const all = batches(store, { ...training, signal: stop.signal });
      (await all.next()).value?.release();
      stop.abort();
      await expect(all.next()).rejects.toMatchObject({ code: "interrupted" });
      for await (const batch of batches(store, training)) {
        expect(batch.samples).toHaveLength(7);
        break;
      }
      expect(await collect(store, training)).toHaveLength(5);
    }));

  test("memory comes back by release, and is not needed for correctness", () =>
    use("raw", async (store) => {
      const buffers = new Set<ArrayBufferLike>();
      for (let epoch = 0; epoch < 5; epoch++)
        for await (const batch of batches(store, { ...training, epoch, workers: 1 })) {
          buffers.add(batch.pictures.buffer);
          batch.release();
        }
      expect(buffers.size).toBeLessThanOrEqual(3);
      const kept: LoadedBatch[] = [];
      for await (const batch of batches(store, training)) kept.push(batch);
      expect(new Set(kept.map(({ pictures }) => pictures.buffer)).size).toBe(5);
    }));

  test("a training epoch and a validation pass at once", () =>
    use("raw", async (store) => {
      const validation = { split: "val", views: "centre", batchSize: 8, cropSize: 227 } as const;
      const alone = [await collect(store, training), await collect(store, validation)];
      expect(await Promise.all([collect(store, training), collect(store, validation)])).toEqual(alone);
    }));

  test("several processes read one store at once, also while it is verified", async () => {
    const path = stores.get("raw")?.path ?? "";
    const script = new URL("../../support/read-store.js", import.meta.url);
    const expected = await use("raw", async (store) => `${store.contentHash} ${store.count("train")}`);
    await use("raw", async (store) => {
      const children = [1, 2, 3].map(() => fork(script, [path], { stdio: "inherit" }));
      const answered = Promise.all(children.map(async (child) => (await once(child, "message"))[0]));
      let answers: readonly unknown[] | undefined;
      answered.then((all) => {
        answers = all;
      });
      do expect(await verifyStore(store, { workers: 1 }, unwatched)).toEqual([]);
      while (answers === undefined);
      expect(answers).toEqual([expected, expected, expected]);
    });
  });
});
