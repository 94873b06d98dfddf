import { z } from "zod";
import { positiveNumber, wholeNumber } from "../options.js";

/** A factor or a rate that may be 0. */
const fromZero = () => z.number("give a number from 0").min(0, "give a number from 0");

const byLayer = z.record(z.string(), z.number()).readonly();

export const policySchema = z.discriminatedUnion("kind", [
  /** Divided by `factor` when the best validation top-1 error has not improved for `patience` epochs (paper section 5). */
  z.object({ kind: z.literal("plateau"), patience: z.number(), factor: z.number(), drops: z.number() }).readonly(),
  /** Divided by `factor` at the start of each epoch of `fractions` (of all epochs, rounded). */
  z.object({ kind: z.literal("step"), fractions: z.array(z.number()).readonly(), factor: z.number() }).readonly(),
  /** Falls step by step, evenly, to 0 at the end. */
  z.object({ kind: z.literal("linear") }).readonly(),
  /** Falls step by step along half a cosine, slowly at both ends, to 0 at the end. */
  z.object({ kind: z.literal("cosine") }).readonly(),
]);

/** How the learning rate falls. */
export type LearningRatePolicy = z.output<typeof policySchema>;

const initialisationSchema = z
  .object({
    deviation: z.union([z.number(), z.literal("he")]),
    deviations: byLayer.exactOptional(),
    gain: positiveNumber().exactOptional(),
    headGain: positiveNumber().exactOptional(),
    biases: byLayer,
  })
  .readonly();

/** A recipe from JSON or from a caller: one row a field. Everything here travels with a checkpoint. */
export const recipeSchema = z.object({
  name: z.string(),
  epochs: wholeNumber(1),
  batchSize: wholeNumber(1),
  /** At the start, and where the warm-up ends; `policy` lowers it. */
  learningRate: fromZero(),
  /** Epochs, or a part of one, in which the rate rises to `learningRate` step by step, evenly; 0 in the paper. */
  warmUp: fromZero().default(0),
  policy: policySchema,
  momentum: fromZero(),
  weightDecay: fromZero(),
  /** Factors for biases; 1 and 1 in the paper. */
  biasLearningRate: fromZero(),
  biasWeightDecay: fromZero(),
  /** How parameters start; see `Initialisation`. */
  initialisation: initialisationSchema,
  /** What is subtracted from each picture (section 2): the mean image of the training pictures, or nothing. */
  meanSubtraction: z.enum(["image", "none"]).default("image"),
  /** What centred pixels are multiplied by before the first layer; 1 in the paper. */
  inputScale: positiveNumber(),
  /** Random crops, reflections and colours (section 4.1); without, pictures' centres as they are. */
  augmentation: z.boolean().default(true),
  /** Of augmentation: crops from random places; without, from the centre. */
  crops: z.boolean().default(true),
  /** Of augmentation: half of the pictures reflected. */
  mirrors: z.boolean().default(true),
  /** By layer, what its learning rate is multiplied by; 0 is frozen, 1 where left out. */
  layerRates: byLayer.default({}),
  /** Standard deviation of the normal draws of the colour noise; 0.1 in the paper (section 4.1). */
  colourDeviation: fromZero(),
});

/** How a network learns, as data. */
export type Recipe = Readonly<z.output<typeof recipeSchema>>;
