import { useEffect, useState } from "preact/hooks";
import type { StepDone, TrainEvent } from "../../runs/events.js";
import type { MetricsRow } from "../../runs/metrics.js";
import type { RunDetails, RunMetrics } from "../../server/api-types.js";
import { api, getJson } from "./client.js";

const POINTS = 2000; // rows of a long run at first; what comes live is added whole
const LONGEST_WAIT = 10_000; // milliseconds between tries to connect
const SILENCE = 30_000; // milliseconds after which a connection counts as lost: the server says something every 15 s

export interface Feed {
  readonly run?: RunDetails;
  readonly rows: readonly MetricsRow[];
  /** The latest step under way. */
  readonly step?: StepDone;
  readonly warnings: readonly string[];
  readonly connection: "connecting" | "live" | "lost";
  readonly problem?: string;
}

/**
 * All that is known of a run, live: what was missed while the server or this machine slept is asked for when the
 * connection is back.
 */
export function useFeed(id: string): Feed & { reload(): void } {
  const [feed, setFeed] = useState<Feed>({ rows: [], warnings: [], connection: "connecting" });
  const [source, setSource] = useState<RunSource>();
  useEffect(() => {
    setFeed({ rows: [], warnings: [], connection: "connecting" });
    const opened = new RunSource(id, setFeed);
    setSource(opened);
    return () => opened.close();
  }, [id]);
  return { ...feed, reload: () => source?.catchUp() };
}

type Change = (change: (feed: Feed) => Feed) => void;

class RunSource {
  readonly #id: string;
  readonly #change: Change;
  readonly #closed = new AbortController();
  #events: EventSource | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #heard = Date.now();
  #tries = 0;
  #asking = false;
  #again = false;

  constructor(id: string, change: Change) {
    this.#id = id;
    this.#change = change;
    const { signal } = this.#closed;
    const wake = (): void => {
      if (document.visibilityState !== "visible") return;
      if (Date.now() - this.#heard > SILENCE) this.#connect();
      else void this.catchUp();
    };
    document.addEventListener("visibilitychange", wake, { signal });
    addEventListener("online", () => this.#connect(), { signal });
    const watch = setInterval(() => Date.now() - this.#heard > SILENCE && this.#connect(), SILENCE / 3);
    signal.addEventListener("abort", () => clearInterval(watch));
    void this.catchUp();
    this.#connect();
  }

  close(): void {
    this.#closed.abort();
    this.#events?.close();
    clearTimeout(this.#timer);
  }

  /** Asks for what is not here yet. */
  async catchUp(): Promise<void> {
    if (this.#asking) {
      this.#again = true;
      return;
    }
    this.#asking = true;
    const { signal } = this.#closed;
    try {
      const run = await getJson<RunDetails>(api("runs", this.#id), { signal });
      let since = 0;
      this.#change((feed) => {
        since = feed.rows.at(-1)?.step ?? 0;
        return { ...feed, run, warnings: run.warnings, problem: undefined };
      });
      // A run that was resumed from an earlier checkpoint has fewer rows than are here: all of them are asked for again.
      if (run.steps < since) since = 0;
      const path = `${api("runs", this.#id, "metrics")}?since=${since}&points=${POINTS}`;
      const { rows } = await getJson<RunMetrics>(path, { signal });
      this.#change((feed) => ({ ...feed, rows: since === 0 ? rows : merged(feed.rows, rows) }));
    } catch (error) {
      if (!signal.aborted)
        this.#change((feed) => ({ ...feed, problem: error instanceof Error ? error.message : String(error) }));
    }
    this.#asking = false;
    if (this.#again && !signal.aborted) {
      this.#again = false;
      void this.catchUp();
    }
  }

  #connect(): void {
    if (this.#closed.signal.aborted) return;
    clearTimeout(this.#timer);
    this.#events?.close();
    this.#heard = Date.now();
    const events = new EventSource(`${api("runs", this.#id, "events")}`);
    this.#events = events;
    const hear = ({ data }: MessageEvent<string>): void => {
      this.#heard = Date.now();
      this.#take(JSON.parse(data) as TrainEvent | { readonly kind: "changed" });
    };
    events.onopen = () => {
      this.#heard = Date.now();
      if (this.#tries > 0) void this.catchUp();
      this.#tries = 0;
      this.#change((feed) => ({ ...feed, connection: "live" }));
    };
    events.onmessage = hear;
    events.addEventListener("ping", () => {
      this.#heard = Date.now();
    });
    events.onerror = () => {
      // The browser's own way to connect again gives up where a server answers with an error; this one doesn't.
      events.close();
      this.#tries++;
      this.#change((feed) => ({ ...feed, connection: "lost" }));
      const wait = Math.min(LONGEST_WAIT, 500 * 2 ** Math.min(this.#tries, 5));
      this.#timer = setTimeout(() => this.#connect(), wait);
    };
  }

  #take(event: TrainEvent | { readonly kind: "changed" }): void {
    switch (event.kind) {
      case "step":
        this.#change((feed) => ({ ...feed, step: event }));
        break;
      case "row":
        this.#change((feed) => ({ ...feed, rows: merged(feed.rows, [event.row]) }));
        break;
      case "epoch":
        this.#change((feed) => ({ ...feed, rows: merged(feed.rows, [event.row]) }));
        void this.catchUp();
        break;
      case "warning":
        this.#change((feed) => ({ ...feed, warnings: [...feed.warnings, event.problem] }));
        break;
      case "changed":
      case "started":
      case "checkpoint":
      case "ended":
        void this.catchUp();
        break;
    }
  }
}

/** Rows in their order, each once: an epoch's row stands behind that of its last step. */
function merged(rows: readonly MetricsRow[], more: readonly MetricsRow[]): readonly MetricsRow[] {
  const [first] = more;
  if (first === undefined) return rows;
  const place = ({ step, kind }: MetricsRow): number => 2 * step + (kind === "epoch" ? 1 : 0);
  const last = rows.at(-1);
  if (last === undefined || place(last) < place(first)) return [...rows, ...more];
  const byPlace = new Map([...rows, ...more].map((row) => [place(row), row]));
  return [...byPlace].sort(([a], [b]) => a - b).map(([, row]) => row);
}
