type Cells = readonly (string | number)[];

/** A table in Markdown. Columns from `numbersFrom` on are aligned to the right. */
export function markdownTable(heads: Cells, rows: readonly Cells[], numbersFrom = heads.length): string {
  const line = (cells: Cells): string => `| ${cells.join(" | ")} |`;
  const rule = heads.map((_, i) => (i < numbersFrom ? "---" : "---:"));
  return [line(heads), line(rule), ...rows.map(line)].join("\n");
}
