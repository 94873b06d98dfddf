import type { ConfusionCell } from "./scores.js";

const MOST_CLASSES = 40; // rows and columns that a page can show
const MOST_PAIRS = 30;

/** Classes in their order: all, or those with the most mistakes about them. */
export function mostConfused(confusion: readonly ConfusionCell[], classes: number): readonly number[] {
  const all = Array.from({ length: classes }, (_, i) => i);
  if (classes <= MOST_CLASSES) return all;
  const mistakes = new Map<number, number>();
  for (const { label, predicted, count } of confusion) {
    if (label === predicted) continue;
    for (const output of [label, predicted]) mistakes.set(output, (mistakes.get(output) ?? 0) + count);
  }
  return all
    .sort((a, b) => (mistakes.get(b) ?? 0) - (mistakes.get(a) ?? 0) || a - b)
    .slice(0, MOST_CLASSES)
    .sort((a, b) => a - b);
}

/** Which class was taken for which other the most often. */
export function commonMistakes(confusion: readonly ConfusionCell[]): readonly ConfusionCell[] {
  return confusion
    .filter(({ label, predicted }) => label !== predicted)
    .sort((a, b) => b.count - a.count)
    .slice(0, MOST_PAIRS);
}

/** Names a cell of the matrix: "3-7". */
export function cellKey({ label, predicted }: Pick<ConfusionCell, "label" | "predicted">): string {
  return `${label}-${predicted}`;
}
