import { setTimeout } from "node:timers";
import { type CommandEvent, EventDisplay } from "./display/events.js";

/** What a command hands down to the call that may take long: how it is stopped, and who shows its events. */
export interface CommandTask {
  readonly signal: AbortSignal;
  readonly onEvent: (event: CommandEvent) => void;
}

export interface TaskChoices {
  /** What is said at once when the user wants to stop; by default something only if stopping takes a moment. */
  readonly onStop?: () => string;
}

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
const MOMENT = 300; // milliseconds

/**
 * Does a command's work: shows its events on standard error until it ends, however it ends. Ctrl-C, `kill` and a closed
 * terminal give the work's signal, whose reason is the name of what gave it; the second time they end the process at
 * once.
 */
export async function runTask<T>(work: (task: CommandTask) => Promise<T>, choices: TaskChoices = {}): Promise<T> {
  const display = new EventDisplay();
  return interruptible((signal) => work({ signal, onEvent: display.update }), display, choices);
}

/** Something that shows how far work is, and can be told to stop. */
export interface Display {
  /** Takes away for good what changes on the terminal. */
  stop(): void;
}

/** As `runTask`, for a command with a display of its own. */
export async function interruptible<T>(
  work: (signal: AbortSignal) => Promise<T>,
  display: Display,
  { onStop }: TaskChoices = {},
): Promise<T> {
  const stop = new AbortController();
  let slow: NodeJS.Timeout | undefined;
  const listener = (name: NodeJS.Signals): void => {
    if (stop.signal.aborted) endAtOnce(name);
    display.stop();
    const say = (text: string) => process.stderr.write(`${text}; once more to end at once\n`);
    if (onStop !== undefined) say(onStop());
    else slow = setTimeout(say, MOMENT, "stopping");
    stop.abort(name);
  };
  for (const name of signals) process.on(name, listener);
  try {
    return await work(stop.signal);
  } finally {
    for (const name of signals) process.off(name, listener);
    clearTimeout(slow);
    display.stop();
  }
}

/** As if nobody had listened: what is under way on other threads is not waited for. */
function endAtOnce(name: NodeJS.Signals): void {
  process.removeAllListeners(name);
  process.kill(process.pid, name);
}
