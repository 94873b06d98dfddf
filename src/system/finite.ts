/** Whether no value is infinite or not a number. One pass at memory speed: 0 * value is 0 just for finite values. */
export function allFinite(values: Float32Array): boolean {
  let zero = 0;
  for (let i = 0; i < values.length; i++) zero += 0 * (values[i] ?? 0);
  return zero === 0;
}
