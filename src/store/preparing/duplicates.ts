import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { type Split, splits } from "../../network/picture.js";
import { type Database, type DatabaseFile, decodeRecord, keys } from "../database.js";
import type { Duplicates } from "../store.js";
import { DUPLICATES_LIST, writeList } from "./lists.js";

const EXAMPLES = 10; // groups
const EXAMPLE_NAMES = 3; // of a group
const RELEASE = 256; // records between releases of the memory they took
const HASH_WORDS = 2; // of 32 bits: equal in 64 bits, a million different pictures are with a probability of 3e-8

type Counts = Readonly<Record<Split, number>>;

/** Numbers of pictures that are the same, ascending. Pictures are numbered through: training first. */
interface Group {
  readonly train: readonly number[];
  readonly val: readonly number[];
}

/**
 * Reads every record once: the labels of each split, and the pictures that are there more than once. Those are listed in
 * the store's folder too, leakage first.
 */
export async function findDuplicates(
  file: DatabaseFile,
  counts: Counts,
  classes: readonly string[],
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
  const groups = groupEquals(heads, counts);
  const head = ["group", "split", "class", "file"];
  await writeList(join(file.path, DUPLICATES_LIST), head, listRows(file.database, groups, counts, classes));
  return { labels, duplicates: summarise(file.database, groups, counts) };
}

/** Groups of two or more: those in both splits first, each kind in the order of its first pictures. */
function groupEquals(heads: Uint32Array, counts: Counts): readonly Group[] {
  const order = Uint32Array.from({ length: heads.length / HASH_WORDS }, (_, i) => i);
  order.sort((a, b) => heads[2 * a] - heads[2 * b] || heads[2 * a + 1] - heads[2 * b + 1] || a - b);
  const groups: Group[] = [];
  for (let start = 0; start < order.length; ) {
    let end = start + 1;
    while (end < order.length && sameHead(heads, order[start], order[end])) end++;
    if (end - start > 1) {
      const members = [...order.subarray(start, end)];
      const isTraining = (number: number) => number < counts.train;
      groups.push({ train: members.filter(isTraining), val: members.filter((number) => !isTraining(number)) });
    }
    start = end;
  }
  const first = ({ train, val }: Group) => train[0] ?? val[0];
  return groups.sort((a, b) => Number(isLeak(b)) - Number(isLeak(a)) || first(a) - first(b));
}

const isLeak = ({ train, val }: Group): boolean => train.length > 0 && val.length > 0;

function sameHead(heads: Uint32Array, a: number, b: number): boolean {
  return heads[2 * a] === heads[2 * b] && heads[2 * a + 1] === heads[2 * b + 1];
}

/** The first of a group is no duplicate; what training has too is leakage, not a duplicate within validation. */
function summarise(database: Database, groups: readonly Group[], counts: Counts): Duplicates {
  const found = { train: 0, val: 0, across: 0 };
  for (const group of groups) {
    const { train, val } = group;
    found.train += Math.max(0, train.length - 1);
    if (train.length === 0) found.val += val.length - 1;
    else found.across += val.length;
  }
  const examples = groups.slice(0, EXAMPLES).map(({ train, val }) => {
    const members = val.length > 0 ? [...train.slice(0, 1), ...val] : train;
    return members.slice(0, EXAMPLE_NAMES).map((number) => recordOf(database, number, counts).name);
  });
  return { ...found, examples };
}

function* listRows(
  database: Database,
  groups: readonly Group[],
  counts: Counts,
  classes: readonly string[],
): Generator<readonly string[]> {
  for (const [i, { train, val }] of groups.entries())
    for (const number of [...train, ...val]) {
      const { split, label, name } = recordOf(database, number, counts);
      yield [String(i + 1), split, classes[label], name];
    }
}

function recordOf(database: Database, number: number, { train }: Counts) {
  const [split, index] = number < train ? (["train", number] as const) : (["val", number - train] as const);
  return { split, ...readRecord(database, split, index) };
}

function readRecord(database: Database, split: Split, index: number) {
  const bytes = database.getBinary(keys.record(split, index));
  if (bytes === undefined) throw new Error(`record ${split} ${index} is missing`);
  return decodeRecord(bytes);
}
