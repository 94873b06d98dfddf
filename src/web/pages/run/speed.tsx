import { useMemo, useState } from "preact/hooks";
import type { MetricsRow } from "../../../runs/metrics.js";
import { Chart } from "../../components/chart.js";
import { Section } from "../../components/section.js";
import { ChartTools } from "../../components/training-curves.js";
import { figure, wholeShare } from "../../format.js";

/** The learning rate, how quick training is, and how long it waits, over the steps. */
export function Speed({ rows }: { readonly rows: readonly MetricsRow[] }) {
  const [log, setLog] = useState(false);
  const [smoothing, setSmoothing] = useState(0);
  const series = useMemo(() => {
    const steps = rows.filter(({ kind }) => kind === "step");
    const shown = steps.length > 0 ? steps : rows;
    const of = (name: string, value: (row: MetricsRow) => number) => [
      { name, points: shown.map((row) => ({ x: row.step, y: value(row) })) },
    ];
    return {
      rate: of("learning rate", ({ learningRate }) => learningRate),
      speed: of("pictures/s", ({ imagesPerSecond }) => imagesPerSecond),
      waiting: of("share of waiting", ({ waiting }) => waiting),
    };
  }, [rows]);
  const shared = { xLabel: "step", log, smoothing, together: "steps", low: log ? undefined : 0 };
  return (
    <Section id="speed" title="Rate and speed">
      <ChartTools {...{ log, setLog, smoothing, setSmoothing }} />
      <div class="charts three">
        <Chart
          {...shared}
          title="Learning rate"
          series={series.rate}
          format={(value) => figure(value, 3)}
          description="Learning rate by step"
        />
        <Chart
          {...shared}
          title="Pictures a second"
          series={series.speed}
          format={(value) => figure(value, 3)}
          description="Pictures a second by step"
        />
        <Chart
          {...shared}
          title="Time spent waiting"
          series={series.waiting}
          high={log ? undefined : 1}
          format={wholeShare}
          description="Share of the time spent waiting for pictures, by step"
        />
      </div>
    </Section>
  );
}
