import { percent } from "../text.js";

/** 63.4 %, never broken over two lines. */
export function share(value: number): string {
  return unbroken(percent(value));
}

/** 41.2 to 64.4 %: a range of shares. */
export function shareRange({ low, high }: { readonly low: number; readonly high: number }): string {
  return unbroken(`${(100 * low).toFixed(1)} to ${percent(high)}`);
}

function unbroken(text: string): string {
  return text.replaceAll(" ", "\u00a0");
}
