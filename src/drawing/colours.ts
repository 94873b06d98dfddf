import type { Rgb } from "./pixels.js";

/** From black for nothing to light for the most; above nothing warm, below it blue. */
const warm = stops([0, 0, 4], [81, 18, 124], [183, 55, 121], [252, 137, 97], [252, 253, 191]);
const cold = stops([0, 0, 4], [12, 60, 110], [50, 130, 190], [190, 235, 255]);

/** The colour of a value from -1 to 1; what is beyond counts as the end. */
export function heatColour(value: number): Rgb {
  const steps = value < 0 ? cold : warm;
  const place = Math.min(1, Math.abs(value)) * steps.length;
  const step = Math.min(steps.length - 1, Math.floor(place));
  const [from, to] = steps[step] ?? [WHITE, WHITE];
  return mix(from, to, place - step);
}

const WHITE: Rgb = [255, 255, 255];

/** @param share of `b`, from 0 to 1 */
export function mix(a: Rgb, b: Rgb, share: number): Rgb {
  const between = (channel: 0 | 1 | 2): number => Math.round(a[channel] * (1 - share) + b[channel] * share);
  return [between(0), between(1), between(2)];
}

/** Each colour with the one after it. */
function stops(first: Rgb, ...others: readonly Rgb[]): readonly (readonly [Rgb, Rgb])[] {
  return others.map((colour, i) => [others[i - 1] ?? first, colour]);
}

/** What only one value in so many exceeds, by its size: a scale that single large values don't spoil. */
export function robustMaximum(values: ArrayLike<number>, oneIn = 200): number {
  const sizes = Float32Array.from(values, Math.abs).sort();
  const place = Math.max(0, Math.ceil(sizes.length * (1 - 1 / oneIn)) - 1);
  return sizes[place] || sizes[sizes.length - 1] || 1;
}
