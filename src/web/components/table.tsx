import type { ComponentChildren } from "preact";
import { useMemo, useState } from "preact/hooks";
import { csvOf, Download } from "./download.js";

export interface Column<Row> {
  readonly name: string;
  /** What rows are sorted by, and what a spreadsheet gets unless it gets something else. */
  value(row: Row): number | string;
  inFile?(row: Row): string;
  /** As it is read; by default the value itself. */
  show?(row: Row): ComponentChildren;
  readonly text?: boolean;
}

interface TableProps<Row> {
  /** The first names the row. */
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  keyOf(row: Row): string | number;
  /** Of the file with its numbers, without an ending. */
  readonly file: string;
  readonly sortable?: boolean;
  readonly label: string;
}

/** A table of numbers that can be sorted by any heading, and downloaded. */
export function Table<Row>({ columns, rows, keyOf, file, sortable = false, label }: TableProps<Row>) {
  const [order, setOrder] = useState<{ readonly column: number; readonly ascending: boolean }>();
  const sorted = useMemo(() => {
    const by = order && columns[order.column];
    if (by === undefined) return rows;
    const sign = order?.ascending ? 1 : -1;
    return [...rows].sort((a, b) => sign * compare(by.value(a), by.value(b)));
  }, [rows, columns, order]);
  const choose = (column: number): void =>
    setOrder((last) => ({ column, ascending: last?.column !== column || !last.ascending }));
  const heading = ({ name, text }: Column<Row>, i: number) => (
    <th
      key={name}
      scope="col"
      class={text ? "text" : undefined}
      aria-sort={sortable && order?.column === i ? (order.ascending ? "ascending" : "descending") : undefined}
    >
      {sortable ? (
        <button type="button" onClick={() => choose(i)}>
          {name}
        </button>
      ) : (
        name
      )}
    </th>
  );
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reached by the keyboard */}
      <section class="scroll" tabIndex={0} aria-label={`Table: ${label}`}>
        <table class={sortable ? "sortable" : undefined}>
          <thead>
            <tr>{columns.map(heading)}</tr>
          </thead>
          <tbody>
            {sorted.map((row) => (
              <tr key={keyOf(row)}>
                {columns.map((column, i) => {
                  const shown = column.show?.(row) ?? column.value(row);
                  return i === 0 ? (
                    <th key={column.name} scope="row">
                      {shown}
                    </th>
                  ) : (
                    <td key={column.name} class={column.text ? "text" : undefined}>
                      {shown}
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <p>
        <Download
          name={`${file}.csv`}
          type="text/csv"
          content={() =>
            csvOf([
              columns.map(({ name }) => name),
              ...rows.map((row) => columns.map((column) => column.inFile?.(row) ?? column.value(row))),
            ])
          }
        >
          Download as CSV
        </Download>
      </p>
    </>
  );
}

function compare(a: number | string, b: number | string): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a).localeCompare(String(b));
}
