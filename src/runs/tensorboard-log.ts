import { appendFileSync, mkdirSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { drawFilters } from "../drawing/filters.js";
import { fileHeader, image, scalars, sessionStart } from "../formats/tensorboard.js";
import { errors } from "../scoring/scores.js";
import { explainDisk } from "../system/files.js";
import type { LayersMeasured, TrainEvent } from "./events.js";
import type { EpochRow, StepRow } from "./metrics.js";

/** Writes what a run tells as a TensorBoard event file; each session of a run has its own. */
export class TensorBoardLog {
  readonly #path: string;
  #drawing: Promise<void> = Promise.resolve();
  #failure: unknown;

  /** @param step done before, by earlier sessions: what they say of later ones is taken back */
  constructor(folder: string, step: number) {
    mkdirSync(folder, { recursive: true });
    const now = Date.now();
    const stamp = String(Math.floor(now / 1000)).padStart(10, "0");
    this.#path = join(folder, `events.out.tfevents.${stamp}.${hostname()}.${process.pid}.${now % 1000}`);
    this.#append(fileHeader(seconds()));
    this.#append(sessionStart(seconds(), step + 1));
  }

  readonly update = (event: TrainEvent): void => {
    if (this.#failure !== undefined) throw this.#failure;
    if (event.kind === "row") this.#append(scalars(seconds(), event.row.step, stepScalars(event.row)));
    else if (event.kind === "epoch") this.#append(scalars(seconds(), event.row.step, epochScalars(event.row)));
    else if (event.kind === "layers") this.#layers(event);
  };

  /** Waits for pictures that are still being drawn. */
  async close(): Promise<void> {
    await this.#drawing;
  }

  #layers({ step, layers, filters }: LayersMeasured): void {
    const entries = layers.flatMap(({ layer, weightNorm, gradientNorm, silent }): [string, number][] => [
      [`weight norm/${layer}`, weightNorm],
      [`gradient norm/${layer}`, gradientNorm],
      ...(silent === null ? [] : [[`silent outputs/${layer}`, silent] satisfies [string, number]]),
    ]);
    this.#append(scalars(seconds(), step, Object.fromEntries(entries)));
    if (filters.shape.length !== 4) return;
    const time = seconds();
    this.#drawing = Promise.all([drawFilters(filters.shape, Float32Array.from(filters.values)), this.#drawing])
      .then(([picture]) => this.#append(image(time, step, "filters of the first layer", picture)))
      .catch((error: unknown) => {
        this.#failure = error;
      });
  }

  #append(record: Uint8Array): void {
    try {
      appendFileSync(this.#path, record);
    } catch (error) {
      throw explainDisk(error, this.#path);
    }
  }
}

function stepScalars({ loss, top1, learningRate, imagesPerSecond, waiting }: StepRow): Record<string, number> {
  return {
    "loss/training": loss,
    "top-1 error/training": 1 - top1,
    "learning rate": learningRate,
    "speed/images per second": imagesPerSecond,
    "speed/share of waiting": waiting,
  };
}

function epochScalars({ validation }: EpochRow): Record<string, number> {
  if (validation === null) return {};
  const { loss, meanRecall, macroF1 } = validation;
  const { top1, top5 } = errors(validation);
  return {
    "loss/validation": loss,
    "top-1 error/validation": top1,
    "top-5 error/validation": top5,
    ...(meanRecall !== undefined && { "mean recall/validation": meanRecall }),
    ...(macroF1 !== undefined && { "macro F1/validation": macroF1 }),
  };
}

function seconds(): number {
  return Date.now() / 1000;
}
