import { z } from "zod";
import { precisions } from "#src/engine/engine.js";

/** In order of importance. */
export const stageNames = [
  "conformance",
  "layers",
  "throughput",
  "data",
  "cpu",
  "training",
  "pytorch",
  "suite",
] as const;

export type StageName = (typeof stageNames)[number];

/** Seconds that each may take at most. */
export const stageLimits: Readonly<Record<StageName, number>> = {
  conformance: 240,
  layers: 120,
  throughput: 120,
  data: 150,
  cpu: 600,
  training: 150,
  pytorch: 400,
  suite: 300,
};

/** What every stage is given. */
export const stageOptionsSchema = z.object({
  batches: z.array(z.number()),
  /** Timed steps. */
  steps: z.number(),
  /** Factor of the network's width. */
  width: z.number(),
  precision: z.enum(precisions),
  /** A folder of pictures to train on; drawn ones where it isn't there. */
  pictures: z.string(),
  epochs: z.number(),
  /** The command of a Python that has PyTorch. */
  python: z.string(),
  /** The report of this and earlier runs: gpu-check.json. */
  report: z.string(),
  /** A folder for the stage's own files, which goes with it. */
  folder: z.string(),
});

export type StageOptions = Readonly<z.infer<typeof stageOptionsSchema>>;

/** What a stage found so far. */
export interface Found {
  /** Default "passed". */
  readonly status?: "skipped" | "failed";
  /** For the report in JSON. */
  readonly data?: unknown;
  /** For people, as Markdown. */
  readonly text?: string;
}

/** Writes down what was found so far, in place of what was written before: the process may be ended at any time. */
export type Keep = (found: Found) => void;

export type Stage = (options: StageOptions, keep: Keep) => Promise<void> | void;
