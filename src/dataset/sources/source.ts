import type { Split } from "../database.js";

/** Where the bytes of one picture are. Plain data: it is kept in the plan and sent to worker threads. */
export type Place =
  | { readonly kind: "file"; readonly path: string }
  /** Bytes inside an archive, read in place. */
  | { readonly kind: "range"; readonly path: string; readonly offset: number; readonly length: number }
  /** Known to be unreadable before anything was read. */
  | { readonly kind: "none"; readonly reason: string };

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

/** Pictures as somebody has them. */
export interface Source {
  /** "image folders", "ILSVRC archives", … */
  readonly kind: string;
  readonly path: string;
  /** Class names in the order of their labels, where the source has one; otherwise they are sorted. */
  readonly classes?: readonly string[];
  /** What people call a class, by its name: "n01443537" is "goldfish, Carassius auratus". */
  readonly titles: ReadonlyMap<string, string>;
  /** Every picture, always in the same order. */
  items(): AsyncIterable<Item>;
}
