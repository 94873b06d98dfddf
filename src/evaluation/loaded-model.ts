import { statSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { type Engine, type PrecisionChoice, precisionChoices } from "../engine/engine.js";
import { type EngineName, engineNames } from "../engine/host/engines.js";
import { openEngine } from "../engine/host/open.js";
import { AlexnetError } from "../errors.js";
import type { Model } from "../model/model.js";
import { pictureSizeOf } from "../network/picture.js";
import { wholeNumber } from "../options.js";
import { type CheckpointName, checkpointPath } from "../runs/checkpoint/keep.js";
import { readModelHeader, readUnverifiedModel } from "../runs/checkpoint/read.js";
import type { CropSizes } from "../store/views.js";
import { ProgramCache } from "./program-cache.js";

/** How a trained network is opened. */
export interface OpenModelOptions {
  /** Which of a run's checkpoints: "best", that of the lowest validation error, or "last". Default "best". */
  readonly checkpoint?: CheckpointName;
  /** Default "auto": an NVIDIA GPU that was found to compute right here, else oneDNN. */
  readonly engine?: EngineName | "auto";
  /** Threads that compute. Default: what the engine finds best. */
  readonly threads?: number;
  /** Precision of products. Default: the engine's fastest. */
  readonly precision?: PrecisionChoice;
}

export const openModelShape = {
  checkpoint: z.enum(["best", "last"]).optional(),
  engine: z.enum(["auto", ...engineNames]).optional(),
  threads: wholeNumber(1).optional(),
  precision: z.enum(precisionChoices).optional(),
};

/** Parts of a model's life that a test may bring itself. */
export interface ModelParts {
  /** The file it was read from. */
  readonly path: string;
  readonly model: Model;
  readonly engine: Engine;
  /** Rejects when the file's contents aren't those that were written; called once. */
  readonly verify: () => Promise<void>;
}

/**
 * A trained network beside an engine for it, and the programs compiled on that engine. What predicts asks `programs`
 * for one, which waits until the file's contents are verified; everything runs `during` the model's life.
 */
export class LoadedModel {
  readonly path: string;
  readonly model: Model;
  readonly engine: Engine;
  readonly programs: ProgramCache;
  readonly #verify: () => Promise<void>;
  #verified: Promise<void> | undefined;
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #atClose = new Set<() => Promise<unknown>>();
  #closing: Promise<void> | undefined;

  constructor({ path, model, engine, verify }: ModelParts) {
    this.path = path;
    this.model = model;
    this.engine = engine;
    this.#verify = verify;
    this.programs = new ProgramCache(engine, model, () => this.verified);
  }

  /**
   * Opens a run's trained network, or a checkpoint's file, and an engine. Its contents are verified later: see
   * `verified`.
   * @throws AlexnetError "not-found" or "damaged-file" when there is none or it is no checkpoint, "engine" when the
   * engine can't run here.
   */
  static async open(run: string, { checkpoint = "best", engine, ...options }: OpenModelOptions): Promise<LoadedModel> {
    const path = modelPath(run, checkpoint);
    const { model, verify } = readUnverifiedModel(path);
    const opened = await openEngine(engine ?? "auto", { threads: options.threads, precision: options.precision });
    return new LoadedModel({ path, model, engine: opened, verify });
  }

  /**
   * Rejects when the file's contents aren't those that were written. Begun when it is first asked for, so that the engine
   * compiles meanwhile.
   */
  get verified(): Promise<void> {
    this.#verified ??= this.#verify();
    return this.#verified;
  }

  /** Heights and widths of the pictures that the model learned from, and of what it sees of one. */
  get sizes(): CropSizes {
    const { network, preprocessing } = this.model;
    return { pictureSize: pictureSizeOf(preprocessing), cropSize: network.input.size };
  }

  /** Runs a call that `close` waits for. @throws AlexnetError "closed" once the model is being closed. */
  async during<T>(call: () => Promise<T>): Promise<T> {
    if (this.#closing !== undefined)
      throw new AlexnetError("closed", `${this.path}: this model is closed; open it again`);
    const running = call();
    this.#underWay.add(running);
    try {
      return await running;
    } finally {
      this.#underWay.delete(running);
    }
  }

  /** Has `end` called when the model is closed, until the function it returns is called. */
  atClose(end: () => Promise<unknown>): () => void {
    this.#atClose.add(end);
    return () => void this.#atClose.delete(end);
  }

  /** Takes no more calls, waits for those under way, and closes the engine with all that was compiled on it. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay);
    await Promise.allSettled([...this.#atClose].map((end) => end()));
    await this.#verified?.catch(() => {}); // it reads parameters that lie in the file
    await this.engine.close();
  }
}

const VIEWS_A_BATCH = 128; // fewer cost speed: the weights are read from memory for each batch

/** As many as the engine is quick with; one at least. */
export function picturesPerBatch(views: number): number {
  return Math.max(1, Math.floor(VIEWS_A_BATCH / views));
}

/** Height and width of the pictures that a trained network learned from, read without its parameters. @throws as `open`. */
export function readPictureSize(run: string, { checkpoint = "best" }: Pick<OpenModelOptions, "checkpoint">): number {
  return readModelHeader(modelPath(run, checkpoint)).pictureSize;
}

/** The file of a run's checkpoint; a file stands for itself. @throws AlexnetError "not-found" when there is none. */
export function modelPath(run: string, name: CheckpointName): string {
  const found = statSync(run, { throwIfNoEntry: false });
  if (found === undefined)
    throw new AlexnetError("not-found", `${run}: no such run or checkpoint`, {
      hint: { advice: "see the runs there are", call: "listRuns", options: {} },
    });
  return found.isDirectory() ? checkpointPath(join(run, "checkpoints"), name) : run;
}
