import type { Chart } from "../../drawing/chart.js";
import { drawInTerminal } from "../../drawing/terminal.js";

const ROWS = 16;
const WIDEST = 100;

/** Prints charts one below the other, as wide as the terminal; in colour where it is one and nobody minds. */
export function printCharts(charts: readonly Chart[]): void {
  const columns = Math.min(WIDEST, process.stdout.columns ?? 80);
  const colour = process.stdout.isTTY === true && process.env.NO_COLOR === undefined;
  for (const chart of charts) console.log(`\n${drawInTerminal(chart, { columns, rows: ROWS, colour })}`);
}
