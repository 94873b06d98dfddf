import { z } from "zod";
import type { Prediction } from "../evaluation/classify.js";
import type { Evaluation } from "../evaluation/evaluate.js";
import type { ReportData } from "../report/data.js";
import { controls } from "../runs/control.js";
import type { RunSummary } from "../runs/list.js";
import type { MetricsRow } from "../runs/metrics.js";
import type { RunConfig } from "../runs/settings.js";

/** What the HTTP interface takes and gives; docs/api.md and /api/openapi.json are made of the same. */

/** Part of an address, as text: what it says is checked before anything is done. */
const whole = (low: number, high: number) => z.coerce.number().int().min(low).max(high);

export const metricsQuery = z.object({
  since: whole(0, Number.MAX_SAFE_INTEGER).default(0).describe("the last step that the caller has; 0 for all"),
  points: whole(10, 20_000).default(2000).describe("the most rows of steps; neighbours are averaged"),
});
export const classifyQuery = z.object({
  views: z.coerce
    .number()
    .pipe(z.union([z.literal(1), z.literal(10)]))
    .default(1)
    .describe("crops of each picture: 1 or 10"),
  top: whole(1, 1000).default(5).describe("classes for each picture"),
});
export const checkpointQuery = z.object({
  checkpoint: z.string().max(100).default("last").describe("a checkpoint's name: best, last or one of the run's"),
});
export const turnQuery = z.object({ turn: whole(0, Number.MAX_SAFE_INTEGER).default(0).describe("which batch") });
export const controlBody = z.strictObject({ action: z.enum(controls) });
export const markBody = z.strictObject({ n: z.string().max(40).describe("a picture's id"), wrong: z.boolean() });
export const paperQueries = {
  crop: z.object({
    left: whole(0, 29).default(14),
    top: whole(0, 29).default(14),
    mirrored: z.stringbool().default(false),
  }),
  colour: z.object({
    a0: z.coerce.number().min(-3).max(3).default(0),
    a1: z.coerce.number().min(-3).max(3).default(0),
    a2: z.coerce.number().min(-3).max(3).default(0),
  }),
  norm: z.object({
    k: z.coerce.number().min(0.1).max(10).default(2),
    n: whole(1, 31).default(5),
    alpha: z.coerce.number().min(-8).max(1).default(-4).describe("a power of ten"),
    beta: z.coerce.number().min(0).max(3).default(0.75),
  }),
  pooling: z.object({ size: whole(1, 9).default(3), stride: whole(1, 9).default(2) }),
  dropout: z.object({ rate: z.coerce.number().min(0).max(0.99).default(0.5), seed: whole(0, 1_000_000).default(1) }),
} as const;
export type PaperDemo = keyof typeof paperQueries;

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

export interface RunEvaluation extends Pick<ReportData, "cells" | "mistakes" | "uncertain"> {
  readonly evaluation: Evaluation;
}

export interface Classified {
  readonly predictions: readonly Prediction[];
}

/** Of several pictures, in their order: those that can't be read say why. */
export interface ClassifiedPictures {
  readonly pictures: readonly (
    | ({ readonly name: string } & Classified)
    | { readonly name: string; readonly error: string }
  )[];
}

export interface LayerMaps {
  readonly layer: string;
  readonly kind: string;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** A data URI. */
  readonly image: string;
}

export interface ShownActivations extends Classified {
  readonly layers: readonly LayerMaps[];
}

export interface ShownOcclusion {
  readonly class: string;
  readonly probability: number;
  /** A data URI: the crop, and what hiding its parts costs. */
  readonly image: string;
}

export interface Neighbour {
  /** A picture's id. */
  readonly n: string;
  readonly file: string;
  readonly label: string;
  /** Cosine of the angle between the features, 1 for the same. */
  readonly similarity: number;
}

/** A picture whose class is wrong, as somebody who looked at it says. */
export interface Mark {
  readonly n: string;
  readonly file: string;
  readonly label: string;
}

export interface PaperFigure {
  readonly title: string;
  /** A data URI. */
  readonly image: string;
  readonly note?: string;
}

export const folderQuery = z.object({
  path: z.string().max(4096).optional().describe("default the folder that may be seen"),
});
export const previewQuery = z.object({ path: z.string().min(1).max(4096) });
const values = z.record(z.string().max(60), z.union([z.string().max(4096), z.number(), z.boolean()]));
export const estimateBody = z.strictObject({ data: z.string().min(1).max(4096), settings: values });
export const startBody = z.strictObject({
  data: z.string().min(1).max(4096),
  name: z.string().max(80),
  settings: values,
});
export const dropQuery = z.object({ class: z.string().min(1).max(120), name: z.string().min(1).max(200) });

/** One of a run's settings, as the table of settings has it: a form's field follows from it. */
export interface SettingRow {
  readonly name: string;
  readonly group: string;
  /** The group's heading. */
  readonly heading: string;
  readonly help: string;
  /** What kind of field it needs. */
  readonly kind: "text" | "number" | "whole" | "switch" | "choice";
  /** Of a choice; of a text, names that are known. */
  readonly choices?: readonly string[];
  readonly low?: number;
  readonly high?: number;
  readonly default?: string | number | boolean | null;
}

/** A folder of this machine, and what is in it. */
export interface FolderListing {
  readonly path: string;
  /** null at the top. */
  readonly parent: string | null;
  readonly folders: readonly { readonly name: string; readonly path: string }[];
  /** Files that lie in the folder itself. */
  readonly pictures: number;
}

/** What training would find in a folder. */
export interface FolderPreview {
  readonly path: string;
  readonly classes: readonly { readonly name: string; readonly pictures: number }[];
  readonly pictures: number;
  /** What is odd about it, in whole sentences. */
  readonly warnings: readonly string[];
  /** A data URI: some pictures of each class. */
  readonly sheet?: string;
}

/** What a run would take on this machine. */
export interface Estimate {
  readonly network: string;
  readonly recipe: string;
  readonly epochs: number;
  readonly batchSize: number;
  readonly parameters: number;
  readonly memoryBytes: number;
  readonly freeBytes: number;
  readonly picturesPerSecond: number;
  /** Of all epochs. */
  readonly seconds: number;
}
