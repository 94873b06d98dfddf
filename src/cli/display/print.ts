import { printable } from "../../text.js";

/** Rows in columns: the first column to the left, the others to the right. */
export function formatTable(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const rows = lines.map((cells) => cells.map(printable));
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => [...(row[column] ?? "")].length)),
  );
  const line = (cells: readonly string[]): string =>
    widths
      .map((width, column) =>
        column === 0 ? (cells[column] ?? "").padEnd(width) : (cells[column] ?? "").padStart(width),
      )
      .join("  ")
      .trimEnd();
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}

export function printTable(head: readonly string[], rows: readonly (readonly string[])[]): void {
  console.log(formatTable(head, rows));
}

/** What `--json` prints: this, and nothing else on standard output. */
export function printJson(value: unknown): void {
  console.log(JSON.stringify(value, undefined, 2));
}

export { byteSize, clock, percent, printable, thousands } from "../../text.js";
