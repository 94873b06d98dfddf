import { join } from "node:path";
import { type Split, splits } from "../../network/picture.js";
import { shortPercent, thousands } from "../../text.js";
import { countLabels } from "../count-labels.js";
import { openStore, type Store, type StoreInfo } from "../store.js";
import { DUPLICATES_LIST, SKIPPED_LIST } from "./lists.js";

export interface PrepareSummary {
  readonly path: string;
  readonly info: StoreInfo;
  readonly classes: readonly string[];
  readonly splits: readonly SplitSummary[];
  /** Nothing was done: the store was whole and its source unchanged. */
  readonly reused: boolean;
  readonly skippedList: string;
  readonly duplicatesList: string;
}

export interface SplitSummary {
  readonly split: Split;
  readonly pictures: number;
  /** In the order of labels. */
  readonly perClass: readonly number[];
  /** Of those that have any. */
  readonly smallest: ClassSize | undefined;
  readonly largest: ClassSize | undefined;
}

export interface ClassSize {
  readonly name: string;
  readonly pictures: number;
}

export async function summariseStore(path: string, reused: boolean): Promise<PrepareSummary> {
  const store = await openStore(path);
  try {
    const { info, classes } = store;
    return { path, info, classes, splits: summariseSplits(store), reused, ...listsOf(path) };
  } finally {
    await store.close();
  }
}

/** The lists for people in a store's folder. */
export function listsOf(path: string) {
  return { skippedList: join(path, SKIPPED_LIST), duplicatesList: join(path, DUPLICATES_LIST) };
}

/** What is wrong with a set, a sentence each: unreadable pictures, leakage, what the source had to say. */
export function findingsOf({ skipped, counts, duplicates: { across }, notes }: StoreInfo, path: string): string[] {
  const { skippedList, duplicatesList } = listsOf(path);
  const share = skipped / (skipped + counts.train + counts.val);
  const unreadable = skipped === 1 ? "1 picture" : `${thousands(skipped)} pictures`;
  const leaking = across === 1 ? "1 validation picture is" : `${thousands(across)} validation pictures are`;
  return [
    ...(skipped > 0 ? [`skipped: ${unreadable} (${shortPercent(share)}), see ${skippedList}`] : []),
    ...(across > 0 ? [`leakage: ${leaking} in the training split too, see ${duplicatesList}`] : []),
    ...notes,
  ];
}

/** How many pictures each split and class of a store has. */
export function summariseSplits(store: Store): SplitSummary[] {
  return splits.map((split) => {
    const perClass = [...countLabels(store.labels(split), store.classes.length)];
    const sizes = store.classes
      .map((name, label) => ({ name, pictures: perClass[label] ?? 0 }))
      .filter(({ pictures }) => pictures > 0)
      .sort((a, b) => a.pictures - b.pictures);
    return { split, pictures: store.count(split), perClass, smallest: sizes[0], largest: sizes.at(-1) };
  });
}
