import { percent } from "../text.js";

/** 63.4 %, never broken over two lines. */
export function share(value: number): string {
  return unbroken(percent(value));
}

/** A share, or a dash where there is none yet. */
export function shareOrDash(value: number | undefined): string {
  return value === undefined ? "–" : share(value);
}

/** 41.2 to 64.4 %: a range of shares. */
export function shareRange({ low, high }: { readonly low: number; readonly high: number }): string {
  return unbroken(`${(100 * low).toFixed(1)} to ${percent(high)}`);
}

/** 75 %: on an axis. */
export function wholeShare(value: number): string {
  return unbroken(percent(value).replace(".0 %", " %"));
}

/** At most so many digits that say something: 0.01234, 12.3, 4,560. */
export function figure(value: number, digits = 4): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "not a number" : String(value);
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return value.toExponential(digits - 2);
  return value.toLocaleString("en-US", { maximumSignificantDigits: digits });
}

function unbroken(text: string): string {
  return text.replaceAll(" ", "\u00a0");
}
