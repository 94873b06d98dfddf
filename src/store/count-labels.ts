/** How many of some labels are of each class. */
export function countLabels(labels: Int32Array, classes: number): Uint32Array {
  const counts = new Uint32Array(classes);
  for (const label of labels) counts[label] = (counts[label] ?? 0) + 1;
  return counts;
}
