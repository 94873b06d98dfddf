import { SingleBar } from "cli-progress";
import type { PrepareProgress } from "../dataset/prepare.js";
import { clock, thousands } from "../text.js";

const LINE_SECONDS = 5; // between plain lines, where there is no terminal

/** Shows a preparation on stderr: a bar on a terminal, a line now and then otherwise. */
export class PreparingDisplay {
  readonly #bar = process.stderr.isTTY
    ? new SingleBar({
        format: "{bar} {percentage}%  {text}",
        stream: process.stderr,
        hideCursor: true,
        clearOnComplete: true,
      })
    : undefined;
  #started: { readonly time: number; readonly done: number } | undefined;
  #lastLine = 0;

  readonly update = (progress: PrepareProgress): void => {
    const now = performance.now() / 1000;
    if (progress.phase === "preparing" && this.#started === undefined) {
      this.#started = { time: now, done: progress.done };
      this.#bar?.start(progress.total, progress.done, { text: "" });
    }
    const text = this.#describe(progress, now);
    if (this.#bar !== undefined) {
      if (progress.phase === "preparing") this.#bar.update(progress.done, { text });
    } else if (now - this.#lastLine >= LINE_SECONDS || progress.phase === "finishing") {
      this.#lastLine = now;
      process.stderr.write(`preparing: ${text}\n`);
    }
  };

  readonly stop = (): void => this.#bar?.stop();

  #describe({ phase, done, total, skipped }: PrepareProgress, now: number): string {
    if (phase === "listing") return `${thousands(done)} pictures found`;
    const { time, done: before } = this.#started ?? { time: now, done };
    const rate = (done - before) / Math.max(0.001, now - time);
    const left = rate > 0 ? `, ${clock((total - done) / rate)} left` : "";
    return `${thousands(done)} of ${thousands(total)} pictures, ${rate.toFixed(0)}/s${left}, ${skipped} skipped`;
  }
}
