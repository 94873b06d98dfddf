export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Where an axis begins and ends; `high` is above `low`. */
export interface Extent {
  readonly low: number;
  readonly high: number;
}

/** From the least to the greatest value; a single value gets room around it, and no values get 0 to 1. */
export function extentOf(values: readonly number[]): Extent {
  const low = values.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
  const high = values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  if (values.length === 0) return { low: 0, high: 1 };
  return high > low ? { low, high } : { low: low - 0.5, high: high + 0.5 };
}

/** Losses of a run that diverged are not: they break a line. */
export function isDrawable({ x, y }: Point): boolean {
  return Number.isFinite(x) && Number.isFinite(y);
}

/** At most so many points: the means of neighbours. */
export function thin(points: readonly Point[], most: number): readonly Point[] {
  const size = Math.ceil(points.length / most);
  if (size <= 1) return points;
  return Array.from({ length: Math.ceil(points.length / size) }, (_, i) => {
    const part = points.slice(i * size, (i + 1) * size);
    const mean = (key: keyof Point): number => part.reduce((sum, point) => sum + point[key], 0) / part.length;
    return { x: mean("x"), y: mean("y") };
  });
}

/** About five round numbers from one end of an axis to the other. @param whole only whole numbers */
export function ticks({ low, high }: Extent, whole = false): readonly number[] {
  const rough = Math.max((high - low) / 5, whole ? 1 : 0);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough * 0.999) ?? rough;
  const first = Math.ceil(low / step - 1e-9);
  const count = Math.floor(high / step + 1e-9) - first + 1;
  return Array.from({ length: count }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}
