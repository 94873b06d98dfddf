import type { Initialisation } from "../network/initialise.js";

/** When the learning rate drops. */
export type LearningRatePolicy =
  /** Divided by `factor` when the best validation top-1 error has not improved for `patience` epochs (paper section 5). */
  | { readonly kind: "plateau"; readonly patience: number; readonly factor: number; readonly drops: number }
  /** Divided by `factor` at the start of each epoch of `fractions` (of all epochs, rounded). */
  | { readonly kind: "step"; readonly fractions: readonly number[]; readonly factor: number };

/** How a network learns, as data. Everything here travels with a checkpoint. */
export interface Recipe {
  readonly name: string;
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly policy: LearningRatePolicy;
  readonly momentum: number;
  readonly weightDecay: number;
  /** Factors for biases; 1 and 1 in the paper. */
  readonly biasLearningRate: number;
  readonly biasWeightDecay: number;
  readonly initialisation: Initialisation;
  /** What centred pixels are multiplied by before the first layer; 1 in the paper. */
  readonly inputScale: number;
  /** Random crops, reflections and colours (section 4.1); without, pictures' centres as they are. */
  readonly augmentation: boolean;
  /** By layer, what its learning rate is multiplied by; 0 is frozen, 1 where left out. */
  readonly layerRates: Readonly<Record<string, number>>;
  /** Deviation of the colour noise's normal draws; 0.1 in the paper (section 4.1). */
  readonly colourDeviation: number;
}
