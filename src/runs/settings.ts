import { z } from "zod";
import { precisions } from "../engine/engine.js";
import { engineNames } from "../engine/host/engines.js";
import { AlexnetError } from "../errors.js";
import type { Network } from "../network/network.js";
import { parseNetwork } from "../network/parse.js";
import { DEFAULT_PICTURE_SIZE } from "../network/picture.js";
import type { Recipe } from "../recipes/recipe.js";
import { recipeSchema } from "../recipes/schema.js";
import { readJson } from "../system/files.js";
import { cadence } from "./cadence.js";

const optionalCount = z.number().nullable();

const settings = z
  .object({
    /** Of this file's form. */
    version: z.literal(1),
    data: z.object({
      /** The folder or store that was named, and the store trained on. */
      source: z.string(),
      store: z.string(),
      /** Of the store's contents. */
      hash: z.string(),
      train: z.number(),
      val: z.number(),
      classes: z.number(),
      /** As it was asked for, should the store be prepared again. */
      preparation: z.object({
        /** Height and width of the pictures. Absent in older runs. */
        size: z.number().int().min(1).default(DEFAULT_PICTURE_SIZE),
        encoding: z.enum(["auto", "raw", "jpeg"]),
        valFraction: z.number(),
        seed: z.number(),
        allowMissingClasses: z.boolean(),
        allowSvg: z.boolean(),
      }),
    }),
    /** Classes and width applied. */
    network: z.unknown(),
    width: z.number(),
    /** What the parameters start from where they are not fresh: the file, the hash of its model, its last layer's fate. */
    base: z
      .object({ path: z.string(), hash: z.string(), head: z.enum(["kept", "new"]) })
      .readonly()
      .nullable()
      .default(null),
    recipe: recipeSchema,
    /** Why this recipe. */
    recipeReason: z.string(),
    seed: z.number(),
    engine: z.enum(["auto", ...engineNames]),
    /** null: what is quickest on the engine. Runs of old don't have it. */
    precision: z.enum(precisions).nullable().default(null),
    /** null: as many as suit the machine. */
    threads: optionalCount,
    workers: optionalCount,
    /** Whether a GPU holds all pictures in its memory where they fit. Runs of old don't have it. */
    resident: z.boolean().default(true),
    checkpointEvery: cadence,
    /** Newest checkpoints kept, besides the best. */
    keep: z.number(),
    /** Steps a row of metrics. */
    metricsEvery: z.number(),
    /** Seconds; null for none. */
    timeBudget: optionalCount,
    /** Epochs without a lower validation error; null for no early stop. */
    earlyStop: optionalCount,
  })
  .readonly();

/** All settings of a run, as they took effect: what config.json holds. */
export interface RunConfig extends Omit<z.infer<typeof settings>, "network" | "recipe"> {
  readonly network: Network;
  readonly recipe: Recipe;
}

/** @throws AlexnetError "run" naming the file and the field that is wrong. */
export function readConfig(path: string): RunConfig {
  const parsed = settings.safeParse(readJson(path));
  if (!parsed.success) throw new AlexnetError("damaged-file", `${path}: ${z.prettifyError(parsed.error)}`);
  return { ...parsed.data, network: parseNetwork(parsed.data.network, path) };
}
