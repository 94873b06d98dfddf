/** A range of shares, 0 to 1. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

const DEVIATIONS = 1.959963984540054; // on both sides of a normal distribution's middle lie 95 % of it

/**
 * Where the true share lies with 95 % confidence, when `hits` of `trials` independent draws had the property: Wilson's
 * score interval (1927), which unlike the textbook's stays within 0 and 1 and is right for few draws as well.
 */
export function wilsonInterval(hits: number, trials: number): Interval {
  if (trials === 0) return { low: 0, high: 1 };
  const share = hits / trials;
  const spread = DEVIATIONS ** 2 / trials;
  const centre = (share + spread / 2) / (1 + spread);
  const reach = (DEVIATIONS * Math.sqrt((share * (1 - share)) / trials + spread / (4 * trials))) / (1 + spread);
  // At the ends the exact bounds are 0 and 1; rounding may miss them.
  return { low: hits === 0 ? 0 : centre - reach, high: hits === trials ? 1 : centre + reach };
}
