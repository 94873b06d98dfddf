/** Red, green, blue, 0 to 255. */
export type Rgb = readonly [number, number, number];

/** From black for nothing to light for the most; above nothing warm, below it blue. */
const warm: readonly Rgb[] = [
  [0, 0, 4],
  [81, 18, 124],
  [183, 55, 121],
  [252, 137, 97],
  [252, 253, 191],
];
const cold: readonly Rgb[] = [
  [0, 0, 4],
  [12, 60, 110],
  [50, 130, 190],
  [190, 235, 255],
];

/** The colour of a value from -1 to 1; what is beyond counts as the end. */
export function heatColour(value: number): Rgb {
  const stops = value < 0 ? cold : warm;
  const place = Math.min(1, Math.abs(value)) * (stops.length - 1);
  const first = Math.min(stops.length - 2, Math.floor(place));
  const part = place - first;
  const between = (channel: 0 | 1 | 2): number =>
    Math.round(stops[first][channel] * (1 - part) + stops[first + 1][channel] * part);
  return [between(0), between(1), between(2)];
}

/** What only one value in so many exceeds, by its size: a scale that single large values don't spoil. */
export function robustMaximum(values: ArrayLike<number>, oneIn = 200): number {
  const sizes = Float32Array.from(values, Math.abs).sort();
  const place = Math.max(0, Math.ceil(sizes.length * (1 - 1 / oneIn)) - 1);
  return sizes[place] || sizes[sizes.length - 1] || 1;
}
