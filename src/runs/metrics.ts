import {
  appendFileSync,
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
} from "node:fs";
import { z } from "zod";
import { AlexnetError } from "../errors.js";
import { explainDisk } from "../system/files.js";
import { layerStatistics } from "./layer-statistics.js";

/** A row for the steps since the row before, with means over them. */
const stepRow = z.object({
  kind: z.literal("step"),
  /** The first epoch is 1, the first step too. */
  epoch: z.number(),
  step: z.number(),
  learningRate: z.number(),
  /** Mean cross-entropy, in nats. */
  loss: z.number(),
  /** Share of pictures whose class had the highest probability, as trained: augmented, with dropout. */
  top1: z.number(),
  imagesPerSecond: z.number(),
  /** Share of the time spent waiting for pictures. */
  waiting: z.number(),
});

/** Exact counts over a split. */
const scores = z.object({
  samples: z.number(),
  top1Correct: z.number(),
  top5Correct: z.number(),
  /** Mean cross-entropy, in nats. */
  loss: z.number(),
  /** The classes' mean recall and mean F1; runs of before these were counted lack them. */
  meanRecall: z.number().optional(),
  macroF1: z.number().optional(),
});

const epochRow = z.object({
  ...stepRow.shape,
  kind: z.literal("epoch"),
  /** Centre crops, no dropout; null where there are no validation pictures. */
  validation: scores.nullable(),
  /** After the epoch's last step. */
  layers: z.array(layerStatistics).default([]),
  seconds: z.number(),
});

const row = z.discriminatedUnion("kind", [stepRow, epochRow]);
export type StepRow = Readonly<z.infer<typeof stepRow>>;
export type EpochRow = Readonly<z.infer<typeof epochRow>>;
export type MetricsRow = StepRow | EpochRow;

/**
 * The rows of a metrics file; a last line that a crash cut short is left out.
 * @throws AlexnetError "damaged-file" naming the line that is no row.
 */
export function readMetrics(path: string): readonly MetricsRow[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, "utf8").split("\n");
  return lines.slice(0, -1).map((line, index) => {
    try {
      return parseRow(line);
    } catch (error) {
      throw new AlexnetError("damaged-file", `${path}: line ${index + 1} is no row of metrics`, { cause: error });
    }
  });
}

/** A line of a metrics file. @throws what is wrong with it */
export function parseRow(line: string): MetricsRow {
  return row.parse(JSON.parse(line));
}

/** Appends rows to a file that never holds more than the latest checkpoint knows, after a resume. */
export class MetricsFile {
  /** Whether it is shorter than it should be: somebody took rows away. */
  readonly isCut: boolean;
  readonly #path: string;
  readonly #file: number;

  /** Goes on after the first `bytes` bytes; what a crashed session wrote behind them is cut off. */
  constructor(path: string, bytes: number) {
    this.#path = path;
    this.#file = openSync(path, "a");
    const { size } = fstatSync(this.#file);
    this.isCut = size < bytes;
    if (size > bytes) ftruncateSync(this.#file, bytes);
  }

  /** @throws AlexnetError "disk" when it is full; the file holds whole rows then too. */
  append(values: MetricsRow): void {
    const { size } = fstatSync(this.#file);
    try {
      appendFileSync(this.#file, `${JSON.stringify(values)}\n`);
    } catch (error) {
      ftruncateSync(this.#file, size);
      throw explainDisk(error, this.#path);
    }
  }

  /** Makes what was appended last through a power cut. @returns the file's length in bytes */
  sync(): number {
    fsyncSync(this.#file);
    return fstatSync(this.#file).size;
  }

  close(): void {
    closeSync(this.#file);
  }
}
