import { findingsOf, listsOf, type SplitSummary } from "../../store/preparing/summary.js";
import { type StoreInfo, titleOf } from "../../store/store.js";
import { printable, thousands } from "../../text.js";
import { printLine, printTable } from "./print.js";

/** Classes that are listed where not all of them are asked for. */
export const LISTED = 20;

/** How many pictures each class has, in the order of labels. */
export function printClasses(
  info: StoreInfo,
  classes: readonly string[],
  splits: readonly SplitSummary[],
  listed: number,
): void {
  const columns = splits.map(({ perClass }) => perClass);
  const titled = (name: string): string => [name, titleOf(info, name) ?? []].flat().join(" ");
  printTable(
    ["class", ...splits.map(({ split }) => split)],
    [
      ...classes
        .slice(0, listed)
        .map((name, label) => [titled(name), ...columns.map((perClass) => thousands(perClass[label] ?? 0))]),
      ...(classes.length > listed ? [[`and ${thousands(classes.length - listed)} more`, "", ""]] : []),
      ["all", ...splits.map(({ split }) => thousands(info.counts[split]))],
    ],
  );
}

/** What a person should know before training: what is missing, what is there twice. */
export function printFindings(info: StoreInfo, path: string): void {
  for (const line of findingsOf(info, path)) printLine(printable(info.notes.includes(line) ? `note: ${line}` : line));
  const { train, val, across, examples } = info.duplicates;
  if (train + val > 0) printLine(`duplicates: ${thousands(train)} within train, ${thousands(val)} within val`);
  for (const names of examples) printLine(`  the same: ${names.map(printable).join(", ")}`);
  if (train + val + across > 0) printLine(`  all of them: ${listsOf(path).duplicatesList}`);
}
