import { printable } from "../../text.js";
import { columnsOf, displayWidth, padEnd, padStart, wrapCell, wrapLine } from "./layout.js";

const GAP = "  ";
/** Columns below which a column of text is not made narrower. */
const NARROWEST = 10;
/** Of what is right-aligned, longer texts are sentences that begin with a number. */
const LONGEST_NUMBER = 12;

/**
 * Rows in columns: numbers to the right, all else to the left. In a terminal columns of text are made narrower and wrapped
 * until the table fits; where numbers alone are too wide, as in a confusion matrix, columns follow below each other.
 * @param columns of the terminal; undefined for lines of any length
 */
export function formatTable(
  head: readonly string[],
  lines: readonly (readonly string[])[],
  columns = Number.POSITIVE_INFINITY,
): string {
  const rows = lines.map((cells) => head.map((_, column) => printable(cells[column] ?? "")));
  const isText = head.map((_, column) => column === 0 || !rows.every((row) => isNumber(row[column] ?? "")));
  const widths = fitted(
    head.map((title, column) =>
      naturalWidth(
        title,
        rows.map((row) => row[column] ?? ""),
      ),
    ),
    isText,
    columns,
  );
  return blocksOf(widths, columns)
    .map((shown) => block(head, rows, { widths, isText, shown }))
    .join("\n\n");
}

function block(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  { widths, isText, shown }: Readonly<Record<"widths" | "shown", readonly number[]>> & { isText: readonly boolean[] },
): string {
  const line = (cells: readonly string[]): string =>
    shown
      .map((column) => (isText[column] ? padEnd : padStart)(cells[column] ?? "", widths[column] ?? 0))
      .join(GAP)
      .trimEnd();
  const row = (cells: readonly string[]): string => {
    const wrapped = cells.map((cell, column) => wrapCell(cell, widths[column] ?? 0));
    const height = Math.max(...shown.map((column) => wrapped[column]?.length ?? 0));
    return Array.from({ length: height }, (_, i) => line(wrapped.map((parts) => parts[i] ?? ""))).join("\n");
  };
  return [row(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(row)].join("\n");
}

function isNumber(cell: string): boolean {
  return cell === "" || (/^[-+–·.\d]/.test(cell) && cell.length <= LONGEST_NUMBER);
}

/**
 * Where all do not fit, headings are wrapped first; then the widest columns of text are made narrower, one after the other,
 * and the first, which names the rows, last.
 */
function fitted(natural: readonly ColumnWidth[], isText: readonly boolean[], columns: number): readonly number[] {
  const widths = natural.map(({ title, cells }) => Math.max(title, cells));
  const excess = (): number =>
    widths.reduce((sum, width) => sum + width, 0) + GAP.length * (widths.length - 1) - columns;
  if (excess() > 0)
    for (const [column, { word, cells }] of natural.entries())
      if (!isText[column]) widths[column] = Math.max(word, cells);
  for (const narrowed of [isText.map((is, column) => is && column > 0), isText.map((_, column) => column === 0)])
    while (excess() > 0) {
      const widest = Math.max(...widths.filter((_, column) => narrowed[column]));
      if (widest <= NARROWEST) break;
      widths[widths.findLastIndex((width, column) => narrowed[column] && width === widest)] = widest - 1;
    }
  return widths;
}

/** Of a column: its title, the title's longest word, and the widest of its cells. */
type ColumnWidth = Readonly<Record<"title" | "word" | "cells", number>>;

function naturalWidth(title: string, cells: readonly string[]): ColumnWidth {
  const widest = (texts: readonly string[]): number => Math.max(0, ...texts.map(displayWidth));
  return { title: displayWidth(title), word: widest(title.split(" ")), cells: widest(cells) };
}

/** Which columns stand side by side: the first in each block, and as many of the others as fit. */
function blocksOf(widths: readonly number[], columns: number): readonly (readonly number[])[] {
  const [first = 0, ...others] = widths;
  const blocks: number[][] = [[0]];
  let used = first;
  for (const [i, width] of others.entries()) {
    used += GAP.length + width;
    if (used > columns && (blocks.at(-1)?.length ?? 0) > 1) {
      blocks.push([0]);
      used = first + GAP.length + width;
    }
    blocks.at(-1)?.push(i + 1);
  }
  return blocks;
}

export function printTable(head: readonly string[], rows: readonly (readonly string[])[]): void {
  console.log(formatTable(head, rows, columnsOf(process.stdout)));
}

/** Prints lines on standard output, each broken between words where a terminal is narrower. */
export function printLine(text: string): void {
  const columns = columnsOf(process.stdout);
  console.log(
    text
      .split("\n")
      .map((line) => wrapLine(line, columns))
      .join("\n"),
  );
}

/** What `--json` prints: this, and nothing else on standard output. */
export function printJson(value: unknown): void {
  console.log(JSON.stringify(value, undefined, 2));
}

export { byteSize, clock, percent, printable, thousands } from "../../text.js";
