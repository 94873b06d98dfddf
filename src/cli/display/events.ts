import type { EvaluateEvent } from "../../evaluation/evaluate.js";
import type { PreparingEvent } from "../../store/preparing/options.js";
import type { UnreadableEvent, WarningEvent } from "../../task.js";
import { clock, printable, thousands } from "../../text.js";
import type { SweepEvent } from "../../training/find-rate.js";
import { describeProblem } from "./failures.js";
import { columnsOf } from "./layout.js";
import { StatusLine } from "./status-line.js";

/** What the calls that commands make tell while they go on, training aside. */
export type CommandEvent = SweepEvent | WarningEvent | UnreadableEvent | EvaluateEvent;

const LINE_SECONDS = 5; // between plain lines, where there is no terminal

const phases: Readonly<Record<PreparingEvent["phase"], string>> = {
  listing: "listing: {text}",
  preparing: "[{bar}] {percentage}%  {text}",
  finishing: "finishing: {text}",
};

/** Shows events on standard error: on a terminal as a line that changes, otherwise a line now and then. */
export class EventDisplay {
  readonly #line: StatusLine;
  #phase: PreparingEvent["phase"] | undefined;
  #started: { readonly time: number; readonly done: number } | undefined;
  #lastLine = Number.NEGATIVE_INFINITY;

  constructor(line: StatusLine = new StatusLine()) {
    this.#line = line;
  }

  readonly update = (event: CommandEvent): void => {
    switch (event.kind) {
      case "preparing":
        this.#preparing(event);
        break;
      case "progress": {
        const { of, done, total } = event;
        this.#line.show({ key: of, format: `${of} [{bar}] {value}/{total}  {left} left`, done, total });
        break;
      }
      case "warning":
        this.#line.print(describeProblem(event, "warning: ", columnsOf(this.#line.stream)));
        break;
      case "unreadable":
        this.#line.print(`alexnet: ${printable(event.error)}`);
        process.exitCode = 1; // said again by the exit status at the end
        break;
      case "prediction":
      case "rate":
        break;
    }
  };

  /** Takes the line that changes away for good; warnings are still printed. */
  stop(): void {
    this.#line.end();
  }

  #preparing(progress: PreparingEvent): void {
    const { phase, done, total } = progress;
    const now = performance.now() / 1000;
    if (phase === "preparing") this.#started ??= { time: now, done };
    const text = describePreparing(progress, this.#started, now);
    if (this.#line.stream.isTTY) {
      const share = total === 0 ? 0 : done;
      this.#line.show({ key: phase, format: phases[phase], done: share, total: Math.max(1, total), text });
    } else if (now - this.#lastLine >= LINE_SECONDS || (phase !== this.#phase && phase === "finishing")) {
      this.#lastLine = now;
      this.#line.print(`preparing: ${text.join(", ")}`);
    }
    this.#phase = phase;
  }
}

/** The most important first. */
function describePreparing(
  { phase, done, total, skipped }: PreparingEvent,
  started: { readonly time: number; readonly done: number } | undefined,
  now: number,
): readonly string[] {
  if (phase === "listing") return [done === 0 ? "looking for pictures" : `${thousands(done)} pictures found`];
  const { time, done: before } = started ?? { time: now, done };
  const rate = (done - before) / Math.max(0.001, now - time);
  return [
    `${thousands(done)} of ${thousands(total)} pictures`,
    ...(rate > 0 && done < total ? [`${clock((total - done) / rate)} left`] : []),
    `${rate.toFixed(0)}/s`,
    `${thousands(skipped)} skipped`,
  ];
}
