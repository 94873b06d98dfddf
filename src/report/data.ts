import type { Evaluation } from "../evaluation/evaluate.js";
import type { RunCurves } from "../runs/curves.js";
import type { EpochRow } from "../runs/metrics.js";

/** What the report's page is made of, as JSON carries it. */
export interface ReportData {
  readonly title: string;
  /** Of the model's network and the engine that ran it. */
  readonly subtitle: string;
  /** What a reader must know of how it was evaluated. */
  readonly notes: readonly string[];
  /** Of this program. */
  readonly version: string;
  /** "2026-05-30T12:00:00.000Z" */
  readonly date: string;
  readonly evaluation: Evaluation;
  /** Absent where nothing was recorded. */
  readonly training?: { readonly curves: RunCurves; readonly epochs: readonly Omit<EpochRow, "layers">[] };
  /** By cell of the confusion matrix (`cellKey`), some of its pictures. */
  readonly cells: Readonly<Record<string, readonly ShownPicture[]>>;
  /** Those that cost the most loss, and those whose most probable class was the least probable. */
  readonly mistakes: readonly ShownPicture[];
  readonly uncertain: readonly ShownPicture[];
  readonly examples: readonly Example[];
  /** Absent where the first layer has none. */
  readonly filters?: FilterSheet;
  readonly settings: ReportSettings;
  /** By id, as data URIs. */
  readonly pictures: Readonly<Record<string, string>>;
}

/** A picture of the evaluated set, what it is and what it was taken for. */
export interface ShownPicture {
  readonly id: string;
  readonly file: string;
  readonly label: string;
  readonly predicted: string;
  /** Probability of what it was taken for, and of what it is. */
  readonly confidence: number;
  readonly labelProbability: number;
  readonly correct: boolean;
}

/** A picture and its most probable classes. */
export interface Example {
  readonly picture: ShownPicture;
  readonly best: readonly { readonly name: string; readonly probability: number; readonly isLabel: boolean }[];
}

export interface FilterSheet {
  /** A data URI. */
  readonly source: string;
  readonly width: number;
  readonly height: number;
  readonly count: number;
  readonly layer: string;
  /** "11x11x3" */
  readonly shape: string;
}

export interface ReportSettings {
  readonly facts: readonly (readonly [name: string, value: string])[];
  readonly layers: readonly {
    readonly name: string;
    readonly kind: string;
    /** "96x55x55" */
    readonly output: string;
    readonly parameters: number;
  }[];
  readonly config?: object;
  /** As environment.json has it: a session each time training went on. */
  readonly sessions: readonly unknown[];
}
