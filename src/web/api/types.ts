import type { Evaluation } from "../../evaluation/evaluate.js";
import type { ShownPicture } from "../../report/data.js";
import type { RunSummary } from "../../runs/list.js";
import type { MetricsRow } from "../../runs/metrics.js";
import type { RunConfig } from "../../runs/settings.js";

/** A run as the list shows it. */
export interface RunCard extends RunSummary {
  readonly id: string;
  readonly name: string;
  /** Validation error, or training error where there is none, of about 40 places from its first epoch to its last. */
  readonly curve: readonly number[];
}

export interface RunDetails extends RunCard {
  readonly config: RunConfig;
  readonly classes: readonly string[];
  readonly checkpoints: readonly CheckpointEntry[];
  /** What the run's log warns of, the latest last. */
  readonly warnings: readonly string[];
}

export interface CheckpointEntry {
  readonly name: string;
  readonly step: number;
}

export interface RunMetrics {
  readonly rows: readonly MetricsRow[];
}

export interface RunEvaluation {
  readonly evaluation: Evaluation;
  readonly cells: Readonly<Record<string, readonly ShownPicture[]>>;
  readonly mistakes: readonly ShownPicture[];
  readonly uncertain: readonly ShownPicture[];
}
