import { z } from "zod";

export const layerStatistics = z
  .object({
    layer: z.string(),
    /** Euclidean, over weights and biases. */
    weightNorm: z.number(),
    gradientNorm: z.number(),
    /**
     * Share of the outputs that their ReLU kept at 0 for every picture of the batch, at every place; null where no
     * ReLU follows. Measured by the gradient: the bias of a silent output gets none.
     */
    silent: z.number().nullable(),
  })
  .readonly();
export type LayerStatistics = z.infer<typeof layerStatistics>;
