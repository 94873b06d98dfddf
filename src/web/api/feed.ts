import { useEffect, useState } from "preact/hooks";
import type { StepDone, TrainEvent } from "../../runs/events.js";
import type { MetricsRow } from "../../runs/metrics.js";
import type { RunDetails, RunMetrics } from "../../server/api-types.js";
import { api, getJson } from "./client.js";

const POINTS = 2000; // rows of a long run at first; what comes live is added whole
const MOST_ROWS = 3 * POINTS; // with more, all are asked for again, thinned by the server
const LONGEST_WAIT = 10_000; // milliseconds between tries to connect
const SILENCE = 30_000; // milliseconds after which a connection counts as lost: the server says something every 15 s
const DRAWN_EVERY = 250; // milliseconds: a small network makes more steps than anybody can look at
const ASKED_EVERY = 1000; // milliseconds

type Told = TrainEvent | { readonly kind: "changed" };

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
  const [feed, setFeed] = useState<Feed>(nothing);
  const [source, setSource] = useState<RunSource>();
  useEffect(() => {
    setFeed(nothing);
    const opened = new RunSource(id, setFeed);
    setSource(opened);
    return () => opened.close();
  }, [id]);
  return { ...feed, reload: () => source?.catchUp() };
}

const nothing: Feed = { rows: [], warnings: [], connection: "connecting" };

class RunSource {
  readonly #id: string;
  readonly #tell: (feed: Feed) => void;
  readonly #closed = new AbortController();
  #feed: Feed = nothing;
  #events: EventSource | undefined;
  #heard = Date.now();
  #tries = 0;
  /** The step after which rows may be missing, told while nobody listened; undefined: none are. */
  #gap: number | undefined;
  /** Rows that were told since, held back until those before them are here. */
  #held: readonly MetricsRow[] = [];
  #asking = false;
  #askAgain = false;
  /** Between two times of asking. */
  #resting: ReturnType<typeof setTimeout> | undefined;
  #drawing: ReturnType<typeof setTimeout> | undefined;
  #connecting: ReturnType<typeof setTimeout> | undefined;

  constructor(id: string, tell: (feed: Feed) => void) {
    this.#id = id;
    this.#tell = tell;
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
    clearTimeout(this.#drawing);
    clearTimeout(this.#connecting);
    clearTimeout(this.#resting);
  }

  /** Asks for what is not here yet; what asks meanwhile is answered together. */
  async catchUp(): Promise<void> {
    if (this.#asking || this.#resting !== undefined) {
      this.#askAgain = true;
      return;
    }
    this.#asking = true;
    this.#askAgain = false;
    const { signal } = this.#closed;
    try {
      await this.#ask(signal);
    } catch (error) {
      if (!signal.aborted) this.#set({ problem: error instanceof Error ? error.message : String(error) });
    }
    this.#asking = false;
    this.#rest(this.#gap !== undefined && this.#askAgain ? 0 : ASKED_EVERY);
  }

  #rest(milliseconds: number): void {
    clearTimeout(this.#resting);
    this.#resting = setTimeout(() => {
      this.#resting = undefined;
      if (this.#askAgain && !this.#closed.signal.aborted) void this.catchUp();
    }, milliseconds);
  }

  async #ask(signal: AbortSignal): Promise<void> {
    const isListening = this.#events?.readyState === EventSource.OPEN;
    const run = await getJson<RunDetails>(api("runs", this.#id), { signal });
    this.#set({ run, warnings: run.warnings, problem: undefined });
    const last = this.#lastStep;
    const gap = this.#gap;
    // A run that was resumed from an earlier checkpoint has fewer rows than are here.
    const since = run.steps < last || this.#feed.rows.length > MOST_ROWS ? 0 : Math.min(last, gap ?? last);
    const path = `${api("runs", this.#id, "metrics")}?since=${since}&points=${POINTS}`;
    const { rows } = await getJson<RunMetrics>(path, { signal });
    const isNewer = this.#lastStep > last; // what was told meanwhile stays
    const known = since === 0 && !isNewer ? rows : merged(this.#feed.rows, rows);
    const isFilled = isListening && this.#gap === gap;
    this.#set({ rows: isFilled ? merged(known, this.#held) : known });
    if (!isFilled) return;
    this.#gap = undefined;
    this.#held = [];
  }

  #addRow(row: MetricsRow): void {
    if (this.#gap === undefined) this.#set({ rows: merged(this.#feed.rows, [row]) });
    else this.#held = [...this.#held, row];
  }

  get #lastStep(): number {
    return this.#feed.rows.at(-1)?.step ?? 0;
  }

  /** What is new, for the page to draw soon. */
  #set(change: Partial<Feed>): void {
    this.#feed = { ...this.#feed, ...change };
    this.#drawing ??= setTimeout(() => {
      this.#drawing = undefined;
      this.#tell(this.#feed);
    }, DRAWN_EVERY);
  }

  #connect(): void {
    if (this.#closed.signal.aborted) return;
    clearTimeout(this.#connecting);
    this.#events?.close();
    this.#gap ??= this.#lastStep;
    this.#heard = Date.now();
    const events = new EventSource(api("runs", this.#id, "events"));
    this.#events = events;
    events.onopen = () => {
      this.#heard = Date.now();
      this.#askAgain = true; // for what was told while nobody listened
      if (!this.#asking) this.#rest(0);
      this.#tries = 0;
      this.#set({ connection: "live" });
    };
    events.onmessage = ({ data }: MessageEvent<string>) => {
      this.#heard = Date.now();
      this.#take(JSON.parse(data) as Told);
    };
    events.addEventListener("ping", () => {
      this.#heard = Date.now();
    });
    events.onerror = () => {
      // The browser's own way to connect again gives up where a server answers with an error; this one doesn't.
      events.close();
      this.#tries++;
      this.#set({ connection: "lost" });
      const wait = Math.min(LONGEST_WAIT, 500 * 2 ** Math.min(this.#tries, 5));
      this.#connecting = setTimeout(() => this.#connect(), wait);
    };
  }

  #take(event: Told): void {
    switch (event.kind) {
      case "step":
        this.#set({ step: event });
        break;
      case "row":
        this.#addRow(event.row);
        break;
      case "epoch":
        this.#addRow(event.row);
        void this.catchUp();
        break;
      case "warning":
        this.#set({ warnings: [...this.#feed.warnings, event.problem] });
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
