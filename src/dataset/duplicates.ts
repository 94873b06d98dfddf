import { setImmediate } from "node:timers/promises";
import { type Database, type DatabaseFile, decodeRecord, keys, type Split, splits } from "./database.js";
import type { Duplicates } from "./store.js";

const EXAMPLES = 10;
const RELEASE = 256; // records between releases of the memory they took
const HASH_WORDS = 2; // of 32 bits; what agrees in them is compared in full

/** Reads every record once: the labels of each split, and the pictures that are there more than once. */
export async function findDuplicates(
  file: DatabaseFile,
  counts: Readonly<Record<Split, number>>,
): Promise<{ readonly labels: Readonly<Record<Split, Int32Array>>; readonly duplicates: Duplicates }> {
  const labels = { train: new Int32Array(counts.train), val: new Int32Array(counts.val) };
  const total = counts.train + counts.val;
  const heads = new Uint32Array(total * HASH_WORDS);
  let at = 0;
  for (const split of splits)
    for (let index = 0; index < counts[split]; index++, at += HASH_WORDS) {
      if (index % RELEASE === RELEASE - 1) {
        file.releaseMemory();
        await setImmediate(); // signals and the display get their turn
      }
      const record = readRecord(file.database, split, index);
      labels[split][index] = record.label;
      for (let word = 0; word < HASH_WORDS; word++) heads[at + word] = Buffer.from(record.hash).readUInt32LE(word * 4);
    }
  return { labels, duplicates: compare(file.database, heads, counts) };
}

/** Pictures are numbered through: training first. The first of a group of equals is no duplicate. */
function compare(database: Database, heads: Uint32Array, counts: Readonly<Record<Split, number>>): Duplicates {
  const order = Uint32Array.from({ length: heads.length / HASH_WORDS }, (_, i) => i);
  order.sort((a, b) => heads[2 * a] - heads[2 * b] || heads[2 * a + 1] - heads[2 * b + 1] || a - b);
  const found = { train: 0, val: 0, across: 0 };
  const examples: string[][] = [];
  for (let start = 0; start < order.length; ) {
    let end = start + 1;
    while (end < order.length && sameHead(heads, order[start], order[end])) end++;
    if (end - start > 1) {
      const group = [...order.subarray(start, end)];
      const inTraining = group.filter((number) => number < counts.train).length;
      const inValidation = group.length - inTraining;
      found.train += Math.max(0, inTraining - 1);
      if (inTraining > 0) found.across += inValidation;
      else found.val += inValidation - 1;
      if (examples.length < EXAMPLES)
        examples.push(group.slice(0, 3).map((number) => nameOf(database, number, counts)));
    }
    start = end;
  }
  return { ...found, examples };
}

function sameHead(heads: Uint32Array, a: number, b: number): boolean {
  return heads[2 * a] === heads[2 * b] && heads[2 * a + 1] === heads[2 * b + 1];
}

function nameOf(database: Database, number: number, { train }: Readonly<Record<Split, number>>): string {
  return number < train ? readRecord(database, "train", number).name : readRecord(database, "val", number - train).name;
}

function readRecord(database: Database, split: Split, index: number) {
  const bytes = database.getBinary(keys.record(split, index));
  if (bytes === undefined) throw new Error(`record ${split} ${index} is missing`);
  return decodeRecord(bytes);
}
