import { useEffect, useMemo, useState } from "preact/hooks";
import type { Series } from "../../../drawing/chart.js";
import { curvesOf } from "../../../runs/curves.js";
import { differingSettings } from "../../../runs/differences.js";
import type { RunDetails, RunMetrics } from "../../../server/api-types.js";
import { api, getJson } from "../../api/client.js";
import { Chart } from "../../components/chart.js";
import { Section } from "../../components/section.js";
import { Loading, Problem } from "../../components/states.js";
import { Table } from "../../components/table.js";
import { ChartTools } from "../../components/training-curves.js";
import { figure, shareOrDash, wholeShare } from "../../format.js";
import { href, type Place } from "../../router.js";

interface Compared {
  readonly run: RunDetails;
  readonly metrics: RunMetrics;
}

const REFRESH = 5000;

/** Several runs over the same epochs, and the settings that are not the same. */
export function ComparePage({ place }: { readonly place: Place }) {
  const ids = place.parts[1] ?? "";
  const [compared, setCompared] = useState<readonly Compared[]>();
  const [problem, setProblem] = useState<string>();
  const [log, setLog] = useState(false);
  const [smoothing, setSmoothing] = useState(0);
  useEffect(() => {
    const stop = new AbortController();
    const { signal } = stop;
    const load = (): Promise<void> =>
      Promise.all(
        ids.split(",").map(async (id) => ({
          run: await getJson<RunDetails>(api("runs", id), { signal }),
          metrics: await getJson<RunMetrics>(`${api("runs", id, "metrics")}?since=0&points=1000`, { signal }),
        })),
      ).then(
        (all) => {
          setCompared(all);
          setProblem(undefined);
        },
        (error: Error) => {
          if (!signal.aborted) setProblem(error.message);
        },
      );
    void load();
    const timer = setInterval(() => document.visibilityState === "visible" && load(), REFRESH);
    return () => {
      clearInterval(timer);
      stop.abort();
    };
  }, [ids]);
  const curves = useMemo(
    () => compared?.map(({ run, metrics }) => ({ name: run.name, ...curvesOf(metrics.rows) })) ?? [],
    [compared],
  );
  const together = (of: "loss" | "error", wanted: string): readonly Series[] =>
    curves.flatMap(({ name, [of]: series }) => {
      const chosen = series.find((one) => one.name === wanted) ?? series[0];
      return chosen === undefined ? [] : [{ name, points: chosen.points }];
    });
  const charts = useMemo(
    () => ({
      validationLoss: together("loss", "validation"),
      validationError: together("error", "validation top-1"),
      trainingLoss: together("loss", "training"),
    }),
    [curves],
  );
  if (compared === undefined)
    return problem === undefined ? (
      <Loading height="40rem" />
    ) : (
      <Problem title={problem}>
        <a href="#/runs">All runs</a>
      </Problem>
    );
  const configs = compared.map(({ run: { config } }) => ({
    ...config,
    data: { ...config.data, preparation: config.data.preparation },
  }));
  const settings = differingSettings(configs);
  const shared = { xLabel: "epoch", whole: true, log, smoothing, together: "compared", low: log ? undefined : 0 };
  const show = (value: unknown): string =>
    typeof value === "string" ? value : value === undefined ? "–" : JSON.stringify(value);
  return (
    <div class="stack">
      <div class="title">
        <h1>{compared.length} runs beside each other</h1>
        <a class="button" href="#/runs">
          All runs
        </a>
      </div>
      {problem !== undefined && <p class="notice">{problem}</p>}
      <Section id="curves" title="Curves">
        <ChartTools {...{ log, setLog, smoothing, setSmoothing }} />
        <div class="charts">
          <Chart
            {...shared}
            title="Validation top-1 error"
            series={charts.validationError}
            high={log ? undefined : 1}
            format={wholeShare}
            description="Validation error of each run by epoch"
          />
          <Chart
            {...shared}
            title="Validation loss (nats)"
            series={charts.validationLoss}
            format={figure}
            description="Validation loss of each run by epoch"
          />
          <Chart
            {...shared}
            title="Training loss (nats)"
            series={charts.trainingLoss}
            format={figure}
            description="Training loss of each run by epoch"
          />
        </div>
      </Section>
      <Section id="results" title="Results">
        <Table
          label="Results of each run"
          file="results"
          sortable
          rows={compared.map(({ run }) => run)}
          keyOf={({ id }: RunDetails) => id}
          columns={[
            { name: "run", value: ({ name }) => name, show: ({ id, name }) => <a href={href("run", id)}>{name}</a> },
            { name: "state", value: ({ state }) => state, text: true },
            { name: "epoch", value: ({ epoch }) => epoch },
            {
              name: "best top-1 error",
              value: ({ bestError }) => bestError ?? "",
              show: ({ bestError }) => shareOrDash(bestError),
            },
            {
              name: "its mean recall",
              value: ({ bestMeanRecall }) => bestMeanRecall ?? "",
              show: ({ bestMeanRecall }) => shareOrDash(bestMeanRecall),
            },
            {
              name: "its macro F1",
              value: ({ bestMacroF1 }) => bestMacroF1 ?? "",
              show: ({ bestMacroF1 }) => shareOrDash(bestMacroF1),
            },
            {
              name: "pictures/s",
              value: ({ imagesPerSecond }) => imagesPerSecond ?? "",
              show: ({ imagesPerSecond }) => (imagesPerSecond === undefined ? "–" : figure(imagesPerSecond, 3)),
            },
          ]}
        />
      </Section>
      <Section id="differences" title="Settings that are not the same">
        {settings.length === 0 ? (
          <p class="soft">There are none: the runs were started alike.</p>
        ) : (
          <Table
            label="Settings that are not the same"
            file="differences"
            rows={settings}
            keyOf={({ path }) => path}
            columns={[
              { name: "setting", value: ({ path }) => path },
              ...compared.map(({ run: { name } }, i) => ({
                name,
                text: true,
                value: ({ values }: (typeof settings)[number]) => show(values[i]),
              })),
            ]}
          />
        )}
      </Section>
    </div>
  );
}
