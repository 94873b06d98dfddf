import { z } from "zod";
import type { Recipe } from "./recipe.js";

const policy = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("plateau"), patience: z.number(), factor: z.number(), drops: z.number() }),
  z.object({ kind: z.literal("step"), fractions: z.array(z.number()), factor: z.number() }),
]);

const byLayer = z.record(z.string(), z.number());

const initialisation = z.object({
  deviation: z.union([z.number(), z.literal("he")]),
  deviations: byLayer.exactOptional(),
  biases: byLayer,
});

/** A recipe from JSON. */
export const recipeSchema: z.ZodType<Recipe> = z.object({
  name: z.string(),
  epochs: z.number(),
  batchSize: z.number(),
  learningRate: z.number(),
  policy,
  momentum: z.number(),
  weightDecay: z.number(),
  biasLearningRate: z.number(),
  biasWeightDecay: z.number(),
  initialisation,
  inputScale: z.number(),
  augmentation: z.boolean().default(true),
  layerRates: byLayer.default({}),
  colourDeviation: z.number(),
});
