import { SingleBar } from "cli-progress";

/** A bar on stderr that goes away when it is done; nothing where stderr is no terminal. */
export class Progress {
  #bar: SingleBar | undefined;

  constructor(readonly label: string) {}

  readonly update = (done: number, total: number): void => {
    if (!process.stderr.isTTY) return;
    if (this.#bar === undefined) {
      const format = `${this.label} [{bar}] {value}/{total}  {eta_formatted} left`;
      this.#bar = new SingleBar({
        format,
        stream: process.stderr,
        clearOnComplete: true,
        hideCursor: null,
        barsize: 24,
      });
      this.#bar.start(total, done);
    }
    this.#bar.update(done);
  };

  readonly stop = (): void => {
    this.#bar?.stop();
    this.#bar = undefined;
  };
}
