import type { Tone } from "../components/states.js";

/** A run's state in a word, of the sentence that describes it: "training (process 4711)", "ended: all 30 epochs are done". */
export function stateWord(state: string): { readonly tone: Tone; readonly word: string } {
  if (state.startsWith("paused")) return { tone: "paused", word: "paused" };
  if (state.startsWith("training")) return { tone: "running", word: "training" };
  if (state.startsWith("ended")) return { tone: "done", word: "ended" };
  if (state.startsWith("damaged")) return { tone: "damaged", word: "damaged" };
  return { tone: "stopped", word: "stopped" };
}

/** "3 minutes ago", in the reader's own time zone; the date where it is long ago. */
export function ago(date: string, now = Date.now()): string {
  const seconds = Math.max(0, (now - Date.parse(date)) / 1000);
  const units = [
    ["day", 86_400],
    ["hour", 3600],
    ["minute", 60],
  ] as const;
  if (seconds > 14 * 86_400) return new Date(date).toLocaleDateString("en-GB", { dateStyle: "medium" });
  for (const [name, length] of units) {
    const count = Math.floor(seconds / length);
    if (count >= 1) return `${count} ${name}${count === 1 ? "" : "s"} ago`;
  }
  return "just now";
}
