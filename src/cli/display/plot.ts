import { drawInTerminal, type TerminalPlot } from "../../drawing/terminal-plot.js";

const HEIGHT = 16;
const WIDEST = 100;
const MARGIN = 14; // of the axis and its labels

/** A plot that fits the terminal; in colour where it is one and nobody minds. */
export function drawHere(plot: TerminalPlot): string {
  const width = Math.max(20, Math.min(WIDEST, (process.stdout.columns ?? 80) - MARGIN));
  const colour = process.stdout.isTTY === true && process.env.NO_COLOR === undefined;
  return drawInTerminal(plot, { width, height: HEIGHT, colour });
}
