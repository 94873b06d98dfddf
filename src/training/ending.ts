import type { RunConfig } from "../runs/settings.js";
import type { TrainingState } from "../runs/state.js";

/** Why training ends with the epoch that has just ended; null when it goes on. */
export function reasonToEnd(
  { epoch, epochs, sinceBest, seconds }: Pick<TrainingState, "epoch" | "epochs" | "sinceBest" | "seconds">,
  { timeBudget, earlyStop }: Pick<RunConfig, "timeBudget" | "earlyStop">,
): string | null {
  if (timeBudget !== null && seconds >= timeBudget) return "the time budget is used up";
  if (epoch >= epochs) return `${epochs === 1 ? "the only epoch is" : `all ${epochs} epochs are`} done`;
  if (earlyStop !== null && sinceBest >= earlyStop) return `no lower error for ${sinceBest} epochs`;
  return null;
}

/** The epochs that fit into a time budget at the pace so far; at most `most`. */
export function epochsInTime(done: number, seconds: number, timeBudget: number, most: number): number {
  const perEpoch = seconds / done;
  return Math.min(most, done + Math.max(0, Math.floor((timeBudget - seconds) / perEpoch)));
}
