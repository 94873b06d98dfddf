import { summarise } from "../network/summary.js";
import { withClasses } from "../network/transform.js";
import type { Claim } from "./claim.js";
import { SEARCH_SHARE } from "./trial.js";

/** How much a trial trains on. */
export interface TrialSize {
  /** Training pictures. */
  readonly pictures: number;
  readonly seeds: number;
  readonly epochs: number;
}

const CLASSES = 10; // they change little

/** Of a machine's rate for large matrix products, what small networks on pictures of 32x32 reach in training. */
const REACHED = 0.2;

/** Roughly the seconds that a claim takes to try. @param matrixRate floating-point operations a second */
export function estimateSeconds({ arms, rates = [] }: Claim, size: TrialSize, matrixRate: number): number {
  const searched = Math.max(1, Math.ceil(SEARCH_SHARE * size.epochs)) * rates.length;
  const epochs = size.seeds * size.epochs + searched;
  const flops = arms
    .filter(({ trainedAs }) => trainedAs === undefined)
    .reduce((sum, { network }) => sum + summarise(withClasses(network, CLASSES)).trainingFlops, 0);
  return (flops * epochs * size.pictures) / (REACHED * matrixRate);
}
