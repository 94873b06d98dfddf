import { useState } from "preact/hooks";
import type { RunCurves } from "../../runs/curves.js";
import { figure, wholeShare } from "../format.js";
import { Chart } from "./chart.js";

interface TrainingCurvesProps {
  readonly curves: RunCurves;
  readonly description: string;
}

/** Loss and error over the epochs, on linear or logarithmic axes, smoothed or not. */
export function TrainingCurves({ curves, description }: TrainingCurvesProps) {
  const [log, setLog] = useState(false);
  const [smoothing, setSmoothing] = useState(0);
  const shared = {
    xLabel: "epoch",
    whole: true,
    marks: curves.rates,
    log,
    smoothing,
    together: "epochs",
    low: log ? undefined : 0,
  };
  return (
    <>
      <ChartTools {...{ log, setLog, smoothing, setSmoothing }} />
      <div class="charts">
        <Chart
          {...shared}
          title="Loss (nats)"
          series={curves.loss}
          format={figure}
          description={`Loss by epoch; ${description}`}
        />
        <Chart
          {...shared}
          title="Error"
          series={curves.error}
          high={log ? undefined : 1}
          format={wholeShare}
          description={`Error by epoch; ${description}`}
        />
      </div>
    </>
  );
}

interface ChartToolsProps {
  readonly log: boolean;
  setLog(log: boolean): void;
  readonly smoothing: number;
  setSmoothing(smoothing: number): void;
}

export function ChartTools({ log, setLog, smoothing, setSmoothing }: ChartToolsProps) {
  return (
    <div class="row tools">
      <fieldset class="switch">
        <legend class="hidden">Vertical axis</legend>
        <button type="button" aria-pressed={!log} onClick={() => setLog(false)}>
          linear
        </button>
        <button type="button" aria-pressed={log} onClick={() => setLog(true)}>
          logarithmic
        </button>
      </fieldset>
      <label class="row">
        <span class="soft">smoothing</span>
        <input
          type="range"
          min="0"
          max="0.98"
          step="0.02"
          value={smoothing}
          onInput={(event) => setSmoothing(Number(event.currentTarget.value))}
        />
        <output class="numbers">{smoothing.toFixed(2)}</output>
      </label>
    </div>
  );
}
