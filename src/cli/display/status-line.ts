import { createLogUpdate } from "log-update";
import { clock } from "../../text.js";
import { columnsOf, displayWidth } from "./layout.js";

/** How a line begins; `{bar}`, `{value}`, `{total}`, `{percentage}`, `{left}` and `{text}` are filled in. */
export interface Status {
  /** Tells one bar from the next. */
  readonly key: string;
  readonly format: string;
  readonly done: number;
  readonly total: number;
  /** The most important first: where the terminal is narrow, the last are left out. */
  readonly text?: readonly string[];
}

const WIDEST_BAR = 24;
/** Texts are left out before the bar is shorter. */
const SHORTEST_BAR = 8;
const REDRAWN = 100; // milliseconds

/** The last line of a terminal, which changes while work goes on. Where there is no terminal it shows nothing. */
export class StatusLine {
  readonly #terminal: ReturnType<typeof createLogUpdate>;
  #shown: Status | undefined;
  /** When the bar that is shown began, and with how much done. */
  #began = { time: 0, done: 0 };
  #timer: NodeJS.Timeout | undefined;
  #hasEnded = false;

  constructor(readonly stream: NodeJS.WriteStream = process.stderr) {
    this.#terminal = createLogUpdate(stream);
  }

  show(status: Status): void {
    if (!this.stream.isTTY || this.#hasEnded) return;
    const isNew = status.key !== this.#shown?.key;
    if (isNew) this.#began = { time: performance.now(), done: status.done };
    this.#shown = status;
    if (isNew) this.#draw();
    else this.#timer ??= setTimeout(() => this.#draw(), REDRAWN).unref();
  }

  /** Writes lines that stay, above the one that changes. */
  print(lines: string): void {
    if (this.#shown !== undefined) this.#terminal.clear();
    this.stream.write(`${lines}\n`);
    if (this.#shown !== undefined) this.#draw();
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#shown === undefined) return;
    this.#shown = undefined;
    this.#terminal.clear();
    this.#terminal.done();
  }

  /** Clears it for good: what is shown later is not. */
  end(): void {
    this.clear();
    this.#hasEnded = true;
  }

  #draw(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#shown === undefined) return;
    const { done, total } = this.#shown;
    const seconds = (performance.now() - this.#began.time) / 1000;
    const left = (seconds * (total - done)) / (done - this.#began.done);
    this.#terminal(describe(this.#shown, Number.isFinite(left) ? clock(left) : "–", this.#columns()));
  }

  /** The last column stays empty: some terminals go to the next line when it is written to. */
  #columns(): number {
    return (columnsOf(this.stream) ?? 0) - 1;
  }
}

/** As many texts as leave room for a bar, and the bar as wide as there is room. */
function describe({ format, done, total, text = [] }: Status, left: string, columns: number): string {
  const share = total === 0 ? 0 : Math.min(1, done / total);
  const filled = (count: number): string =>
    format
      .replace("{value}", String(done))
      .replace("{total}", String(total))
      .replace("{percentage}", String(Math.floor(100 * share)))
      .replace("{left}", left)
      .replace("{text}", text.slice(0, count).join("  "));
  const room = (count: number): number => columns - displayWidth(filled(count).replace("{bar}", ""));
  const wanted = format.includes("{bar}") ? SHORTEST_BAR : 0;
  let count = text.length;
  while (count > 1 && room(count) < wanted) count--;
  const width = Math.max(0, Math.min(WIDEST_BAR, room(count)));
  const whole = Math.round(share * width);
  return cut(filled(count).replace("{bar}", "=".repeat(whole) + "-".repeat(width - whole)), columns);
}

function cut(line: string, columns: number): string {
  let cut = line;
  while (displayWidth(cut) > columns) cut = cut.slice(0, -1);
  return cut;
}
