import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { type Split, splits } from "../../network/picture.js";
import { type Task, throwIfStopped } from "../../task.js";
import { type DatabaseFile, damagedStore, decodeRecord, keys } from "../database.js";
import type { Duplicates } from "../store.js";
import { DUPLICATES_LIST, writeList } from "./lists.js";

const EXAMPLES = 10; // groups
const EXAMPLE_NAMES = 3; // of a group
const RELEASE = 256; // records between releases of the memory they took

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
  task: Pick<Task, "signal">,
): Promise<{ readonly labels: Readonly<Record<Split, Int32Array>>; readonly duplicates: Duplicates }> {
  const labels = { train: new Int32Array(counts.train), val: new Int32Array(counts.val) };
  const total = counts.train + counts.val;
  const heads = new BigUint64Array(total);
  let at = 0;
  for (const split of splits)
    for (let index = 0; index < counts[split]; index++, at++) {
      if (index % RELEASE === RELEASE - 1) {
        file.releaseMemory();
        await setImmediate(); // signals and the display get their turn
        throwIfStopped(task, file.path);
      }
      const record = readRecord(file, split, index);
      labels[split][index] = record.label;
      heads[at] = Buffer.from(record.hash).readBigUInt64LE();
    }
  const groups = groupEquals(heads, counts);
  const head = ["group", "split", "class", "file"];
  await writeList(join(file.path, DUPLICATES_LIST), head, listRows(file, groups, counts, classes));
  return { labels, duplicates: summarise(file, groups, counts) };
}

/**
 * Groups of two or more: those in both splits first, each kind in the order of its first pictures.
 * @param heads the first 64 bits of each picture's hash: a million different pictures share them with a probability of 3e-8
 */
function groupEquals(heads: BigUint64Array, counts: Counts): readonly Group[] {
  const sorted = heads.slice().sort(); // without a comparison of our own: a million take a tenth of a second
  const repeated = new Map<bigint, { readonly train: number[]; readonly val: number[] }>();
  sorted.forEach((head, i) => {
    if (i > 0 && head === sorted[i - 1]) repeated.set(head, { train: [], val: [] });
  });
  if (repeated.size > 0)
    heads.forEach((head, number) => {
      repeated.get(head)?.[number < counts.train ? "train" : "val"].push(number);
    });
  const first = ({ train, val }: Group) => train[0] ?? val[0] ?? 0;
  return [...repeated.values()].sort((a, b) => Number(isLeak(b)) - Number(isLeak(a)) || first(a) - first(b));
}

const isLeak = ({ train, val }: Group): boolean => train.length > 0 && val.length > 0;

/** The first of a group is no duplicate; what training has too is leakage, not a duplicate within validation. */
function summarise(file: DatabaseFile, groups: readonly Group[], counts: Counts): Duplicates {
  const found = { train: 0, val: 0, across: 0 };
  for (const group of groups) {
    const { train, val } = group;
    found.train += Math.max(0, train.length - 1);
    if (train.length === 0) found.val += val.length - 1;
    else found.across += val.length;
  }
  const examples = groups.slice(0, EXAMPLES).map(({ train, val }) => {
    const members = val.length > 0 ? [...train.slice(0, 1), ...val] : train;
    return members.slice(0, EXAMPLE_NAMES).map((number) => recordOf(file, number, counts).name);
  });
  return { ...found, examples };
}

function* listRows(
  file: DatabaseFile,
  groups: readonly Group[],
  counts: Counts,
  classes: readonly string[],
): Generator<readonly string[]> {
  for (const [i, { train, val }] of groups.entries())
    for (const number of [...train, ...val]) {
      const { split, label, name } = recordOf(file, number, counts);
      yield [String(i + 1), split, classes[label] ?? "", name];
    }
}

function recordOf(file: DatabaseFile, number: number, { train }: Counts) {
  const [split, index] = number < train ? (["train", number] as const) : (["val", number - train] as const);
  return { split, ...readRecord(file, split, index) };
}

function readRecord({ database, path }: DatabaseFile, split: Split, index: number) {
  const bytes = database.getBinary(keys.record(split, index));
  if (bytes === undefined) throw damagedStore(path, `${keys.record(split, index)} is missing`);
  return decodeRecord(bytes);
}
