import { useMemo } from "preact/hooks";
import { curvesOf } from "../../../runs/curves.js";
import type { EpochRow } from "../../../runs/metrics.js";
import { errors } from "../../../scoring/scores.js";
import { clock, thousands } from "../../../text.js";
import { api } from "../../api/client.js";
import { type Feed, useFeed } from "../../api/feed.js";
import { EpochTable } from "../../components/epoch-table.js";
import { Facts, Section, Tile } from "../../components/section.js";
import { Badge, Empty, Loading, Problem } from "../../components/states.js";
import { TrainingCurves } from "../../components/training-curves.js";
import { figure, share, shareOrDash } from "../../format.js";
import { href, type Place } from "../../router.js";
import { stateWord } from "../run-state.js";
import { Batch } from "./batch.js";
import { Controls } from "./controls.js";
import { Filters } from "./filters.js";
import { Speed } from "./speed.js";
import "./run.css";

/** One run, live. */
export function RunPage({ place }: { readonly place: Place }) {
  const [, id = ""] = place.parts;
  const feed = useFeed(id);
  const { run, rows, problem } = feed;
  const epochs = useMemo(() => rows.filter((row): row is EpochRow => row.kind === "epoch"), [rows]);
  const curves = useMemo(() => curvesOf(rows), [rows]);
  if (run === undefined)
    return problem === undefined ? (
      <Loading height="40rem" />
    ) : (
      <Problem title={problem}>
        <a href="#/runs">All runs</a>
      </Problem>
    );
  const { tone, word } = stateWord(run.state);
  const isLive = tone === "running" || tone === "paused";
  return (
    <div class="stack run">
      <div class="title">
        <div class="row">
          <h1>{run.name}</h1>
          <Badge tone={tone}>{word}</Badge>
        </div>
        <div class="row">
          <a class="button" href={href("classify", id)}>
            Classify
          </a>
          <a class="button" href={href("explore", id)}>
            Explore
          </a>
          {isLive && <Controls run={run} changed={feed.reload} />}
        </div>
      </div>
      <Status feed={feed} isLive={isLive} />
      <Figures feed={feed} epochs={epochs} />
      {feed.warnings.length > 0 && (
        <section class="notice" aria-label="Warnings">
          {feed.warnings.map((warning, i) => (
            <p key={i}>{warning}</p>
          ))}
        </section>
      )}
      <Section id="curves" title="Training">
        {rows.length === 0 ? (
          <Empty title="No step has been recorded yet.">
            <p>The curves begin with the first ones.</p>
          </Empty>
        ) : (
          <>
            <TrainingCurves curves={curves} description={`of ${run.name}, ${rows.length} points`} />
            <EpochTable epochs={epochs} />
          </>
        )}
      </Section>
      {rows.length > 0 && <Speed rows={rows} />}
      <Filters id={id} checkpoints={run.checkpoints} />
      {isLive && <Batch id={id} step={epochs.length} />}
      <Section id="settings" title="Settings">
        <Facts facts={settingsOf(run)} />
        <details>
          <summary>All settings</summary>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reached by the keyboard */}
          <pre tabIndex={0}>{JSON.stringify({ ...run.config, network: run.config.network.name }, undefined, 2)}</pre>
        </details>
        <p>
          <a href={`${api("runs", id, "metrics")}?since=0`} download={`${run.name}-metrics.json`}>
            Download all metrics as JSON
          </a>
        </p>
      </Section>
    </div>
  );
}

/** Where it is, and whether what is shown is what is. */
function Status({
  feed: { run, step, connection, problem },
  isLive,
}: {
  readonly feed: Feed;
  readonly isLive: boolean;
}) {
  if (run === undefined) return null;
  const done =
    run.epochs === 0
      ? 0
      : Math.min(1, (run.epoch + (step && step.epoch > run.epoch ? step.batch / step.batches : 0)) / run.epochs);
  const left = step === undefined || !isLive ? "" : `, ${clock(step.secondsLeft)} left`;
  return (
    <div class="status">
      <progress max="1" value={done} aria-label="Share of the epochs that is done" />
      <p>
        {isLive
          ? `epoch ${step?.epoch ?? run.epoch + 1} of ${run.epochs}, step ${thousands(step?.step ?? run.steps)}${left}`
          : run.state}
        {isLive && connection !== "live" && (
          <span class="lost" role="status">
            {connection === "lost" ? (problem ?? "The connection is lost; trying again.") : "Connecting …"}
          </span>
        )}
      </p>
    </div>
  );
}

function Figures({ feed: { run, rows, step }, epochs }: { readonly feed: Feed; readonly epochs: readonly EpochRow[] }) {
  const last = rows.at(-1);
  const validated = epochs.findLast(({ validation }) => validation !== null)?.validation;
  const latest = validated ? errors(validated) : undefined;
  return (
    <ul class="tiles">
      <Tile
        label="best top-1 error"
        value={shareOrDash(run?.bestError)}
        note={latest === undefined ? "after the first epoch" : `now ${share(latest.top1)}, top-5 ${share(latest.top5)}`}
      />
      {validated?.meanRecall !== undefined && (
        <Tile
          label="mean recall"
          value={share(validated.meanRecall)}
          note={validated.macroF1 === undefined ? "now" : `now; macro F1 ${share(validated.macroF1)}`}
        />
      )}
      <Tile
        label="loss"
        value={last === undefined ? "–" : (step?.loss ?? last.loss).toFixed(3)}
        note={validated ? `validation ${validated.loss.toFixed(3)}` : "nats a picture"}
      />
      <Tile
        label="learning rate"
        value={last === undefined ? "–" : figure(step?.learningRate ?? last.learningRate, 3)}
        note="now"
      />
      <Tile
        label="pictures/s"
        value={last === undefined ? "–" : figure(step?.imagesPerSecond ?? last.imagesPerSecond, 3)}
        note={last === undefined ? "" : `${share(step?.waiting ?? last.waiting)} of the time waiting for pictures`}
      />
    </ul>
  );
}

function settingsOf({ config }: NonNullable<Feed["run"]>): readonly (readonly [string, string])[] {
  const { data, recipe, recipeReason, seed, width, network } = config;
  return [
    ["network", `${network.name}, ${network.input.size}x${network.input.size}`],
    ["width", String(width)],
    ["recipe", `${recipe.name} (${recipeReason})`],
    ["pictures", `${thousands(data.train)} to train, ${thousands(data.val)} to validate`],
    ["classes", thousands(data.classes)],
    ["pictures a step", String(recipe.batchSize)],
    ["learning rate", `${recipe.learningRate}, policy ${recipe.policy.kind}`],
    ["momentum, weight decay", `${recipe.momentum}, ${recipe.weightDecay}`],
    ["seed", String(seed)],
  ];
}
