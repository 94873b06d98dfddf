/**
 * An exponential moving mean, as TensorBoard draws it: without the pull of its first value towards 0. Gaps stay gaps.
 * @param weight of what came before, 0 to below 1
 */
export function smooth(values: readonly (number | null | undefined)[], weight: number): (number | null | undefined)[] {
  let [sum, count] = [0, 0];
  return values.map((value) => {
    if (value === null || value === undefined) return value;
    sum = weight * sum + (1 - weight) * value;
    count++;
    return sum / (1 - weight ** count);
  });
}
