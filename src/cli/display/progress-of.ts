import type { CommandEvent } from "./events.js";

/** Calls that still tell their progress by a listener of its own. */
export function progressOf(of: string, onEvent: (event: CommandEvent) => void) {
  return (done: number, total: number): void => onEvent({ kind: "progress", of, done, total });
}
