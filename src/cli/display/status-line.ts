import { SingleBar } from "cli-progress";

/** How a line begins; `{bar}`, `{value}`, `{total}`, `{percentage}`, `{eta_formatted}` and `{text}` are filled in. */
export interface Status {
  /** Tells one bar from the next. */
  readonly key: string;
  readonly format: string;
  readonly done: number;
  readonly total: number;
  readonly text?: string;
}

/** The last line of a terminal, which changes while work goes on. Where there is no terminal it shows nothing. */
export class StatusLine {
  #bar: SingleBar | undefined;
  #key: string | undefined;
  #hasEnded = false;

  constructor(readonly stream: NodeJS.WriteStream = process.stderr) {}

  show({ key, format, done, total, text = "" }: Status): void {
    if (!this.stream.isTTY || this.#hasEnded) return;
    if (key !== this.#key) this.clear();
    this.#key = key;
    if (this.#bar === undefined) {
      this.#bar = new SingleBar({ format, stream: this.stream, clearOnComplete: true, hideCursor: true, barsize: 24 });
      this.#bar.start(total, done, { text });
    }
    this.#bar.update(done, { text });
  }

  /** Writes a line that stays, above the one that changes. */
  print(line: string): void {
    this.stream.write(`${this.#bar === undefined ? "" : "\r\u001b[K"}${line}\n`);
  }

  clear(): void {
    this.#bar?.stop();
    this.#bar = undefined;
    this.#key = undefined;
  }

  /** Clears it for good: what is shown later is not. */
  end(): void {
    this.clear();
    this.#hasEnded = true;
  }
}
