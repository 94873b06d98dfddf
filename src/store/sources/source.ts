import type { Split } from "../../network/picture.js";
import type { Task } from "../../task.js";

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
  /** It is an archive or a folder: how many pictures are missing nobody knows. */
  readonly isPartial?: boolean;
}

/** How a picture set is to be understood, where people say so. */
export interface SourceChoices {
  /** Of Parquet files: which columns hold the pictures and their classes. */
  readonly imageColumn?: string;
  readonly labelColumn?: string;
  /** Only the pictures for tests, which are left aside otherwise where there are others to validate on. */
  readonly part?: "test";
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
  /** What a person should know of how it was understood; complete once the items were gone through. */
  readonly notes?: readonly string[];
  /** Which columns of Parquet files were taken. */
  readonly columns?: { readonly image: string; readonly label: string };
  /** Memory that reading takes on each thread, where that is much: bytes. */
  readonly bytesPerThread?: number;
  /** Every picture, always in the same order. @throws AlexnetError "interrupted" once the signal is given. */
  items(task: Pick<Task, "signal">): AsyncIterable<Item | Fault> | Iterable<Item | Fault>;
}

/** What `detectSource` understands, for errors. */
export const understood =
  "understood: folders train/<class>/ with val/<class>/, or <class>/ alone; " +
  "ILSVRC2012_img_train.tar with ILSVRC2012_img_val.tar and its devkit; " +
  "WebDataset shards (*.tar, also as train-{000..146}.tar); Parquet files with the columns image and label";

/** 2 before 10; what isn't a number after all numbers, by code points. */
export function compareNumerically(a: string, b: string): number {
  const [x, y] = [Number(a), Number(b)];
  if (Number.isNaN(x) || Number.isNaN(y)) return Number(Number.isNaN(x)) - Number(Number.isNaN(y)) || (a < b ? -1 : 1);
  return x - y;
}
