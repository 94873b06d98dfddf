import type { Network } from "../network/network.js";
import type { Recipe } from "../recipes/recipe.js";

/** One side of a comparison: what is trained, and how. */
export interface Arm {
  readonly name: string;
  /** For pictures of 32x32; the classes become those of the pictures. */
  readonly network: Network;
  /** Its epochs are set when it is tried. */
  readonly recipe: Recipe;
  /** Views of each validation picture whose outputs are averaged; 1, the centre, where left out. */
  readonly views?: number;
  /** The name of the arm whose trained networks it takes: it trains none of its own. */
  readonly trainedAs?: string;
}

/** What is measured of every run. More is better for the claim: measures give what the control lacks. */
export type Measure =
  /** The share of validation pictures that are wrong after the last epoch, paired by picture. */
  | { readonly kind: "validation-error" }
  /**
   * Epochs until the training error is this low, as a factor. Where a run does not come so far, the lowest error that
   * all of them reach takes its place, and the claim stays undecided.
   */
  | { readonly kind: "epochs-to-error"; readonly error: number }
  /** The mean training loss of the first epochs. */
  | { readonly kind: "early-loss"; readonly epochs: number };

/** A claim of the paper as an experiment. */
export interface Claim {
  readonly name: string;
  /** Of the paper. */
  readonly section: string;
  /** What the paper says. */
  readonly says: string;
  /** What is compared, for people. */
  readonly compares: string;
  /** What the paper favours, what it is compared with, and others that are shown beside them. */
  readonly arms: readonly [treatment: Arm, control: Arm, ...others: Arm[]];
  readonly measure: Measure;
  /**
   * The smallest effect that would bear the claim out, in units of the measure (a share, the logarithm of a factor,
   * nats): an interval that ends below it says that the claim does not hold at this size.
   */
  readonly least: number;
  /** Rates that each arm is tried at, briefly, to be trained at its best; the recipe's rate where left out. */
  readonly rates?: readonly number[];
  /** What others have measured, with the source. */
  readonly published: readonly string[];
}
