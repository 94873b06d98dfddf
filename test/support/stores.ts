import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Split } from "#src/network/picture.js";
import { openForReading } from "#src/store/database.js";
import type { PrepareOptions } from "#src/store/preparing/options.js";
import { prepare } from "#src/store/preparing/prepare.js";
import { openStore, type Store } from "#src/store/store.js";
import { drawJpeg } from "./draw.js";
import { temporaryFolder } from "./folders.js";

/** Files by their names, folders made as needed. */
export function write(folder: string, files: Readonly<Record<string, string | Uint8Array>>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
}

/** `count` small JPEGs under a prefix, every one different. */
export async function drawSome(prefix: string, count: number, seed = 0): Promise<Record<string, Uint8Array>> {
  const names = Array.from({ length: count }, (_, i) => `${prefix}${String(i).padStart(4, "0")}.jpg`);
  const pictures = await Promise.all(names.map((_, i) => drawJpeg(seed * 1000 + i + 1, 40 + (i % 7), 30 + (i % 5))));
  return Object.fromEntries(names.map((name, i) => [name, pictures[i]]));
}

/** Two classes, three training pictures and two validation pictures each. */
export async function drawSet(folder: string): Promise<void> {
  write(folder, {
    ...(await drawSome("train/cat/", 3, 1)),
    ...(await drawSome("train/dog/", 3, 2)),
    ...(await drawSome("val/cat/", 2, 3)),
    ...(await drawSome("val/dog/", 2, 4)),
  });
}

export type Quick = Omit<PrepareOptions, "out"> & { readonly out?: string };

/** Prepares into a temporary folder. */
export async function prepareHere(options: Quick) {
  return prepare({ encoding: "raw", workers: 1, maxBad: 1, out: join(temporaryFolder(), "store"), ...options });
}

export async function useStore<T>(path: string, use: (store: Store) => T | Promise<T>): Promise<T> {
  const store = await openStore(path);
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

/** Everything a store says, for comparing two: pictures by their hashes. */
export function contentOf(store: Store): unknown {
  const { classes, mean, colour, info } = store;
  const list = (split: Split) =>
    Array.from({ length: store.count(split) }, (_, i) => [
      store.fileName(split, i),
      store.labels(split)[i],
      createHash("sha256").update(store.encoded(split, i)).digest("hex"),
    ]);
  const { source: _, ...rest } = info;
  return {
    classes,
    mean: Buffer.from(mean.buffer).toString("base64"),
    colour,
    rest,
    train: list("train"),
    val: list("val"),
  };
}

/** Every key of a store's database with a hash of its value, and the lists beside it. */
export async function everythingIn(path: string): Promise<Record<string, string>> {
  const hash = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
  const database = openForReading(path);
  try {
    const entries = [...database.getRange()].map(({ key, value }) => [key, hash(value)]);
    const lists = readdirSync(path).filter((name) => !name.endsWith(".mdb"));
    return Object.fromEntries([...entries, ...lists.map((name) => [name, hash(readFileSync(join(path, name)))])]);
  } finally {
    await database.close();
  }
}

/** [file, reason] of a store's skipped.csv. */
export function readSkipped(path: string): string[][] {
  const text = readFileSync(path, "utf8");
  const cells = [...text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\n]*))(,|\n)/g)].map(([, quoted, plain]) =>
    quoted === undefined ? plain : quoted.replaceAll('""', '"'),
  );
  return cells.flatMap((cell, i) => (i % 2 === 0 && i > 0 ? [[cell, cells[i + 1]]] : []));
}
