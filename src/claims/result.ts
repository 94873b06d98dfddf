import { z } from "zod";
import { AlexnetError } from "../errors.js";
import { readJson } from "../system/files.js";

const curvePoint = z.object({
  epoch: z.number(),
  trainingLoss: z.number(),
  trainingError: z.number(),
  validationError: z.number().nullable(),
});

/** null in the file where there is no bound: of one seed. */
const bound = z.number().nullable();

const resultSchema = z.object({
  version: z.literal(1),
  claim: z.string(),
  verdict: z.enum(["supports", "does not", "can't tell"]),
  /** In units of the measure: a share of pictures, the logarithm of a factor, or nats. */
  effect: bound,
  low: bound,
  high: bound,
  /** Of "epochs-to-error": the training error whose epochs were counted. */
  target: z.number().optional(),
  /** The first is what the paper favours, the second what it is compared with. */
  arms: z.array(
    z.object({
      name: z.string(),
      network: z.string(),
      learningRate: z.number(),
      /** What each rate of the search came to: a training loss or a validation error; null where it overflowed. */
      search: z.array(z.object({ learningRate: z.number(), score: bound })),
      runs: z.array(z.object({ seed: z.number(), value: bound, curve: z.array(curvePoint) })),
    }),
  ),
  data: z.object({ source: z.string(), classes: z.number(), train: z.number(), val: z.number() }),
  epochs: z.number(),
  seeds: z.number(),
  /** Of all training and evaluating, whichever session did it. */
  seconds: z.number(),
  machine: z.object({ processor: z.string(), threads: z.number() }),
});

/** What came of trying a claim: `result.json`. */
export type ClaimResult = Readonly<z.infer<typeof resultSchema>>;

/** @throws AlexnetError "damaged-file" naming the file that is no result. */
export function readClaimResult(path: string): ClaimResult {
  const parsed = resultSchema.safeParse(readJson(path));
  if (!parsed.success)
    throw new AlexnetError("damaged-file", `${path}: is no result of a claim`, { cause: parsed.error });
  return parsed.data;
}
