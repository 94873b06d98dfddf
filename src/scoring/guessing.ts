const DEVIATIONS = 3;

/**
 * The top-1 error below which answers are better than guessing: three deviations below that of always naming the class
 * that is commonest among these labels.
 */
export function errorOfGuessing(labels: Int32Array): number {
  if (labels.length === 0) return 0;
  const counts = new Map<number, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  const share = Math.max(...counts.values()) / labels.length;
  return 1 - share - DEVIATIONS * Math.sqrt((share * (1 - share)) / labels.length);
}
