import type { Split } from "../database.js";

/** Where the bytes of one picture are. Plain data: it is kept in the plan and sent to worker threads. */
export type Place =
  | { readonly kind: "file"; readonly path: string }
  /** Bytes inside an archive, read in place. */
  | { readonly kind: "range"; readonly path: string; readonly offset: number; readonly length: number }
  /** A row of a Parquet file, by its row group and number in it. */
  | {
      readonly kind: "row";
      readonly path: string;
      readonly column: string;
      readonly group: number;
      readonly row: number;
    };

/** One picture of a source, not yet read. */
export interface Item {
  /** How people find it again: a path, or archive!entry. */
  readonly name: string;
  readonly className: string;
  /** Undefined where the source doesn't say: then a stratified part is drawn for validation. */
  readonly split: Split | undefined;
  readonly place: Place;
  /** Changes when the file does. */
  readonly stamp: string;
}

/** Something that should have been one picture or more, and is known not to be before any is read. */
export interface Fault {
  readonly name: string;
  readonly reason: string;
}

/** Pictures as somebody has them. */
export interface Source {
  /** "image folders", "ILSVRC archives", … */
  readonly kind: string;
  readonly path: string;
  /** How classes are ordered into labels; by code points unless it says otherwise. */
  readonly compareClasses?: (a: string, b: string) => number;
  /** What people call a class, by its name: "n01443537" is "goldfish, Carassius auratus". */
  readonly titles: ReadonlyMap<string, string>;
  /** Every picture, always in the same order. */
  items(): AsyncIterable<Item | Fault> | Iterable<Item | Fault>;
}

/** Which split a file or folder belongs to by its name: "train-0001.tar", "validation". */
export function splitOfName(name: string): Split | undefined {
  if (/(^|[^a-z])train/i.test(name)) return "train";
  return /(^|[^a-z])(val|test)/i.test(name) ? "val" : undefined;
}

/** Of files named by split, the ones to use: the tests are left alone when there is a validation set of its own. */
export function withoutTests(names: readonly string[]): readonly string[] {
  const isValidation = (name: string) => /(^|[^a-z])val/i.test(name);
  return names.some(isValidation) ? names.filter((name) => isValidation(name) || splitOfName(name) !== "val") : names;
}

/** Whether the names tell training and validation apart. Otherwise all of them are to be divided. */
export function tellSplits(names: readonly string[]): boolean {
  const found = new Set(names.map(splitOfName));
  return found.size === 2 && !found.has(undefined);
}

/** 2 before 10; what isn't a number after all numbers, by code points. */
export function compareNumerically(a: string, b: string): number {
  const [x, y] = [Number(a), Number(b)];
  if (Number.isNaN(x) || Number.isNaN(y)) return Number(Number.isNaN(x)) - Number(Number.isNaN(y)) || (a < b ? -1 : 1);
  return x - y;
}
