import { useEffect, useMemo, useState } from "preact/hooks";
import type { RunCard } from "../../../server/api-types.js";
import { thousands } from "../../../text.js";
import { useGet } from "../../api/client.js";
import { csvOf, Download } from "../../components/download.js";
import { Sparkline } from "../../components/sparkline.js";
import { Badge, Empty, Loading, Problem } from "../../components/states.js";
import { figure, shareOrDash } from "../../format.js";
import { href } from "../../router.js";
import { ago, stateWord } from "../run-state.js";
import "./runs.css";

const REFRESH = 5000; // milliseconds between looks at the list

const orders = {
  "last changed": (a: RunCard, b: RunCard) => b.changed.localeCompare(a.changed),
  "lowest error": (a: RunCard, b: RunCard) => (a.bestError ?? 2) - (b.bestError ?? 2),
  name: (a: RunCard, b: RunCard) => a.name.localeCompare(b.name),
} as const;
type Order = keyof typeof orders;

/** All runs of the folder, as cards. */
export function RunsPage() {
  const { data, problem, reload } = useGet<readonly RunCard[]>("api/runs");
  const [wanted, setWanted] = useState("");
  const [order, setOrder] = useState<Order>("last changed");
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  useEffect(() => {
    const timer = setInterval(() => document.visibilityState === "visible" && reload(), REFRESH);
    return () => clearInterval(timer);
  }, [reload]);
  const shown = useMemo(() => {
    const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
    return (data ?? [])
      .filter(({ name, state }) => words.every((word) => `${name} ${state}`.toLowerCase().includes(word)))
      .sort(orders[order]);
  }, [data, wanted, order]);
  const toggle = (id: string): void => {
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    setChosen(next);
  };
  return (
    <>
      <div class="title">
        <h1>Runs</h1>
        {data !== undefined && data.length > 0 && (
          <div class="row">
            <Download name="runs.csv" type="text/csv" content={() => csv(shown)}>
              CSV
            </Download>
            <a class="button primary" href="#/start">
              New run
            </a>
          </div>
        )}
      </div>
      {problem !== undefined && data === undefined && <Problem title={problem} />}
      {problem !== undefined && data !== undefined && (
        <p class="notice" role="status">
          {problem} What is shown is what was last known.
        </p>
      )}
      {data === undefined && problem === undefined && <Loading height="30rem" />}
      {data?.length === 0 && (
        <Empty title="There are no runs here yet.">
          <p>
            A run is a network that learns from your pictures: a folder for each class, or just one folder to begin
            with.
          </p>
          <a class="button primary" href="#/start">
            Start the first one
          </a>
          <p class="soft">
            No pictures at hand? <code>alexnet demo</code> draws some and learns them.
          </p>
        </Empty>
      )}
      {data !== undefined && data.length > 0 && (
        <>
          <div class="row filters-bar">
            <input
              type="search"
              placeholder="Find by name or state"
              aria-label="Find by name or state"
              value={wanted}
              onInput={({ currentTarget }) => setWanted(currentTarget.value)}
            />
            <label class="row">
              <span class="soft">Order</span>
              <select value={order} onChange={({ currentTarget }) => setOrder(currentTarget.value as Order)}>
                {Object.keys(orders).map((name) => (
                  <option key={name}>{name}</option>
                ))}
              </select>
            </label>
            <span class="soft" role="status">
              {shown.length === data.length
                ? thousands(data.length)
                : `${thousands(shown.length)} of ${thousands(data.length)}`}
            </span>
            <a
              class="button"
              aria-disabled={chosen.size < 2}
              href={chosen.size < 2 ? undefined : href("compare", [...chosen].join(","))}
            >
              {chosen.size < 2 ? "Choose two to compare" : `Compare ${chosen.size}`}
            </a>
          </div>
          <ul class="cards">
            {shown.map((run) => (
              <Card key={run.id} run={run} chosen={chosen.has(run.id)} toggle={() => toggle(run.id)} />
            ))}
          </ul>
        </>
      )}
    </>
  );
}

interface CardProps {
  readonly run: RunCard;
  readonly chosen: boolean;
  toggle(): void;
}

function Card({ run, chosen, toggle }: CardProps) {
  const { tone, word } = stateWord(run.state);
  return (
    <li class="card run-card">
      <div class="head">
        <h2>
          <a href={href("run", run.id)}>{run.name}</a>
        </h2>
        <Badge tone={tone}>{word}</Badge>
      </div>
      <Sparkline values={run.curve} />
      <dl>
        <div>
          <dt>best error</dt>
          <dd>{shareOrDash(run.bestError)}</dd>
        </div>
        <div>
          <dt>epoch</dt>
          <dd>
            {run.epoch} of {run.epochs}
          </dd>
        </div>
        <div>
          <dt>pictures/s</dt>
          <dd>{run.imagesPerSecond === undefined ? "–" : figure(run.imagesPerSecond, 3)}</dd>
        </div>
      </dl>
      <div class="foot">
        <label class="row">
          <input type="checkbox" checked={chosen} onChange={toggle} aria-label={`Compare ${run.name}`} />
          <span class="soft">compare</span>
        </label>
        <span class="soft" title={run.state}>
          {ago(run.changed)}
        </span>
      </div>
    </li>
  );
}

function csv(runs: readonly RunCard[]): string {
  const names = [
    "run",
    "state",
    "epoch",
    "epochs",
    "steps",
    "best top-1 error",
    "mean recall",
    "macro F1",
    "pictures/s",
    "changed",
  ];
  const rows = runs.map((run) => [
    run.name,
    run.state,
    run.epoch,
    run.epochs,
    run.steps,
    run.bestError,
    run.bestMeanRecall,
    run.bestMacroF1,
    run.imagesPerSecond,
    run.changed,
  ]);
  return csvOf([names, ...rows]);
}
