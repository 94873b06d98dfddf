import stringWidth from "string-width";
import wrapAnsi from "wrap-ansi";

/** Columns of a terminal; undefined where the stream is none, and nothing is wrapped: programs read it line by line. */
export function columnsOf(stream: NodeJS.WriteStream): number | undefined {
  return stream.isTTY ? Math.max(NARROWEST, stream.columns || USUAL) : undefined;
}

const NARROWEST = 20;
const USUAL = 80;

/** Columns that a terminal gives to a text: two to each Chinese character and most emoji, none to a combining mark. */
export function displayWidth(text: string): number {
  return stringWidth(text);
}

export function padEnd(text: string, columns: number): string {
  return text + " ".repeat(Math.max(0, columns - displayWidth(text)));
}

export function padStart(text: string, columns: number): string {
  return " ".repeat(Math.max(0, columns - displayWidth(text))) + text;
}

/**
 * A line as lines that fit, broken between words. Those after the first are two columns further in; where the line begins
 * with a word and a gap, as in "recipe    small: batches of 32", they stand below what follows the gap.
 */
export function wrapLine(line: string, columns: number | undefined): string {
  if (columns === undefined || displayWidth(line) <= columns) return line;
  const [before = "", label = ""] = /^ *(\S+ {2,}(?=\S))?/.exec(line) ?? [];
  const body = line.slice(before.length);
  const hanging = " ".repeat(label === "" ? before.length + 2 : displayWidth(before));
  return before + wrapAnsi(body, columns - hanging.length).replaceAll("\n", `\n${hanging}`);
}

/** Text as lines of at most so many columns; words that are longer are cut. */
export function wrapCell(text: string, columns: number): readonly string[] {
  return wrapAnsi(text, columns, { hard: true }).split("\n");
}
