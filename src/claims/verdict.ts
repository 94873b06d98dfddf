import { below, Purpose } from "../random.js";
import { mean, quantile } from "../scoring/quantiles.js";

/** What an experiment says of a claim. */
export type Verdict = "supports" | "does not" | "can't tell";

export interface Decision {
  readonly verdict: Verdict;
  /** The mean difference; above 0 is what the claim says. */
  readonly effect: number;
  /** Where the effect lies with 95 % confidence. */
  readonly low: number;
  readonly high: number;
}

const DRAWS = 4000;

/**
 * Decides a claim from paired differences, in whose favour they are above 0: one row a seed, of one value, or of one for
 * each validation picture, the same pictures in all rows.
 *
 * The interval is that of a paired bootstrap: seeds are drawn again with replacement, and pictures too, the same ones for
 * all seeds, so that it holds what another seed and other pictures might have given. "supports" where it lies above 0,
 * "does not" where it lies below the least effect that would bear the claim out, "can't tell" else, and always with one
 * seed, which does not show what chance does.
 */
export function decide(differences: readonly (readonly number[])[], least: number): Decision {
  const seeds = differences.length;
  const effect = mean(differences.map(mean));
  if (seeds < 2 || !Number.isFinite(effect))
    return { verdict: "can't tell", effect, low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };
  const means = Array.from({ length: DRAWS }, (_, draw) => redrawn(differences, draw));
  const [low, high] = [quantile(means, 0.025), quantile(means, 0.975)];
  return { verdict: low > 0 ? "supports" : high < least ? "does not" : "can't tell", effect, low, high };
}

/** The mean of as many seeds and pictures, drawn with replacement. */
function redrawn(differences: readonly (readonly number[])[], draw: number): number {
  const drawn = differences.map((_, i) => differences[below(differences.length, Purpose.bootstrap, draw, 0, i)] ?? []);
  const pictures = drawn[0]?.length ?? 0;
  let sum = 0;
  for (let i = 0; i < pictures; i++) {
    const picture = pictures === 1 ? 0 : below(pictures, Purpose.bootstrap, draw, 1, i);
    for (const seed of drawn) sum += seed[picture] ?? Number.NaN;
  }
  return sum / (pictures * drawn.length);
}
