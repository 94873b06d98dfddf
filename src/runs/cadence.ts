import { z } from "zod";

/** How often a checkpoint is written within epochs. */
export const cadence = z.discriminatedUnion("unit", [
  z.object({ unit: z.literal("seconds"), every: z.number() }).readonly(),
  z.object({ unit: z.literal("steps"), every: z.number() }).readonly(),
  /** No checkpoint within an epoch; one at the end of every so many. */
  z.object({ unit: z.literal("epochs"), every: z.number() }).readonly(),
]);
export type Cadence = z.infer<typeof cadence>;

/** What happened since the latest checkpoint. */
export interface SinceCheckpoint {
  readonly seconds: number;
  readonly steps: number;
}

export function dueAfterStep({ unit, every }: Cadence, since: SinceCheckpoint): boolean {
  return unit !== "epochs" && since[unit] >= every;
}

/** `epochs` are those finished, the one that has just ended included. */
export function dueAfterEpoch({ unit, every }: Cadence, epochs: number): boolean {
  return unit !== "epochs" || epochs % every === 0;
}
