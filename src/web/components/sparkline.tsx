const WIDTH = 160;
const HEIGHT = 40;

/** A curve without axes, 0 at its foot; it says nothing that isn't said in numbers beside it. */
export function Sparkline({ values }: { readonly values: readonly number[] }) {
  const drawn = values.filter(Number.isFinite);
  const highest = Math.max(...drawn, Number.MIN_VALUE);
  const points = drawn.map((value, i) => {
    const x = drawn.length === 1 ? WIDTH : (i * WIDTH) / (drawn.length - 1);
    return `${x.toFixed(1)},${(HEIGHT - 2 - (value / highest) * (HEIGHT - 4)).toFixed(1)}`;
  });
  return (
    <svg class="sparkline" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
      {points.length > 0 && (
        <polyline points={(points.length === 1 ? [`0,${points[0]?.split(",")[1]}`, ...points] : points).join(" ")} />
      )}
    </svg>
  );
}
