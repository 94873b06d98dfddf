import { SingleBar } from "cli-progress";
import type { PreparingEvent } from "../../store/preparing/options.js";
import { clock, thousands } from "../../text.js";

const LINE_SECONDS = 5; // between plain lines, where there is no terminal

/** What stands on a terminal's line. */
const formats: Readonly<Record<PreparingEvent["phase"], string>> = {
  listing: "listing: {text}",
  preparing: "{bar} {percentage}%  {text}",
  finishing: "finishing: {text}",
};

/** Shows a preparation on stderr: a bar on a terminal, a line now and then otherwise. */
export class PreparingDisplay {
  #bar: SingleBar | undefined;
  #phase: PreparingEvent["phase"] | undefined;
  #started: { readonly time: number; readonly done: number } | undefined;
  #lastLine = Number.NEGATIVE_INFINITY;

  constructor(readonly stream: NodeJS.WriteStream = process.stderr) {}

  readonly update = (progress: PreparingEvent): void => {
    const { phase, done, total } = progress;
    const now = performance.now() / 1000;
    if (phase === "preparing") this.#started ??= { time: now, done };
    const text = this.#describe(progress, now);
    const isNew = phase !== this.#phase;
    this.#phase = phase;
    if (this.stream.isTTY) {
      if (isNew) this.#startBar(progress);
      this.#bar?.update(total === 0 ? 0 : done, { text });
    } else if (now - this.#lastLine >= LINE_SECONDS || (isNew && phase === "finishing")) {
      this.#lastLine = now;
      this.stream.write(`preparing: ${text}\n`);
    }
  };

  /** Takes the bar away. */
  readonly stop = (): void => {
    this.#bar?.stop();
    this.#bar = undefined;
  };

  #startBar({ phase, done, total }: PreparingEvent): void {
    this.stop();
    this.#bar = new SingleBar({
      format: formats[phase],
      stream: this.stream,
      hideCursor: true,
      clearOnComplete: true,
      barsize: 24,
    });
    this.#bar.start(Math.max(1, total), total === 0 ? 0 : done, { text: "" });
  }

  #describe({ phase, done, total, skipped }: PreparingEvent, now: number): string {
    if (phase === "listing") return done === 0 ? "looking for pictures" : `${thousands(done)} pictures found`;
    const { time, done: before } = this.#started ?? { time: now, done };
    const rate = (done - before) / Math.max(0.001, now - time);
    const left = rate > 0 && done < total ? `, ${clock((total - done) / rate)} left` : "";
    return `${thousands(done)} of ${thousands(total)} pictures, ${rate.toFixed(0)}/s${left}, ${thousands(skipped)} skipped`;
  }
}
