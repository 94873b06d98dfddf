import { closeSync, openSync, readSync, statSync } from "node:fs";
import type { ServerResponse } from "node:http";
import type { FastifyReply, FastifyRequest } from "fastify";
import { isPaused } from "../runs/control.js";
import type { RunFolder } from "../runs/folder.js";
import { lockHolder } from "../runs/lock.js";
import { type MetricsRow, parseRow, readMetrics } from "../runs/metrics.js";
import { readNow } from "../runs/now.js";

const LOOK = 250; // milliseconds between looks at a run's files
const PING = 15_000; // milliseconds of silence after which something is said, so that a lost connection is seen
const MOST_UNREAD = 4 * 1024 * 1024; // bytes that wait for a browser that doesn't read; it may connect again

/**
 * Tells browsers what happens in runs, as server-sent events, by looking at the runs' files: the process that trains may be
 * on another machine. An event is what the training tells (`TrainEvent`); "changed" stands for what has to be asked for.
 * All who look at one run are told by one that reads its files.
 */
export class Live {
  readonly #runs = new Map<string, WatchedRun>();

  /** Ends all connections. */
  close(): void {
    for (const run of this.#runs.values()) run.close();
  }

  follow(folder: RunFolder, request: FastifyRequest, reply: FastifyReply): void {
    reply.hijack();
    const { raw } = reply;
    raw.writeHead(200, {
      ...(reply.getHeaders() as Record<string, string>),
      "content-type": "text/event-stream",
      "cache-control": "no-store",
    });
    raw.write("retry: 1000\n\n");
    let run = this.#runs.get(folder.path);
    if (run === undefined) {
      run = new WatchedRun(folder, () => this.#runs.delete(folder.path));
      this.#runs.set(folder.path, run);
    }
    const since = Number(request.headers["last-event-id"] ?? Number.NaN);
    run.add(new Listener(raw, Number.isFinite(since) ? since : undefined));
  }
}

/** One browser, or program. */
class Listener {
  readonly #raw: ServerResponse;
  #spoke = Date.now();

  /** @param since the step after which it wants to know everything; undefined: from now on */
  constructor(
    raw: ServerResponse,
    readonly since: number | undefined,
  ) {
    this.#raw = raw;
  }

  say(event: string, data: unknown, id?: number): void {
    this.#spoke = Date.now();
    this.#raw.write(`${id === undefined ? "" : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
    if (this.#raw.writableLength > MOST_UNREAD) this.#raw.destroy();
  }

  sayRow(row: MetricsRow): void {
    this.say("message", row.kind === "epoch" ? { kind: "epoch", row } : { kind: "row", row }, row.step);
  }

  sayThatAlive(): void {
    if (Date.now() - this.#spoke >= PING) this.say("ping", "");
  }

  onEnd(end: () => void): void {
    this.#raw.once("close", end);
  }

  end(): void {
    this.#raw.end();
  }
}

/** A run that at least one listener looks at. */
class WatchedRun {
  readonly #folder: RunFolder;
  readonly #rows: NewRows;
  readonly #listeners = new Set<Listener>();
  readonly #timer: NodeJS.Timeout;
  readonly #forget: () => void;
  #state: string;
  #step: number | undefined;

  /** @param forget when nobody listens any more */
  constructor(folder: RunFolder, forget: () => void) {
    this.#folder = folder;
    this.#forget = forget;
    this.#rows = new NewRows(folder.file("metrics.jsonl"));
    this.#state = stateKey(folder);
    this.#timer = setInterval(() => this.#look(), LOOK);
  }

  add(listener: Listener): void {
    this.#look(); // so that what it is told now ends where what is told to all begins
    const { since } = listener;
    if (since !== undefined) for (const row of rowsAfter(this.#rows.path, since)) listener.sayRow(row);
    const step = readNow(this.#folder);
    if (step !== undefined) listener.say("message", step);
    this.#listeners.add(listener);
    listener.onEnd(() => this.#remove(listener));
  }

  close(): void {
    for (const listener of [...this.#listeners]) {
      listener.end();
      this.#remove(listener);
    }
  }

  #remove(listener: Listener): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size > 0) return;
    clearInterval(this.#timer);
    this.#forget();
  }

  #look(): void {
    const state = stateKey(this.#folder);
    const hasChanged = state !== this.#state;
    this.#state = state;
    const rows = hasChanged ? this.#rows.take() : [];
    const step = readNow(this.#folder);
    const isNew = step !== undefined && step.step !== this.#step;
    this.#step = step?.step;
    for (const listener of this.#listeners) {
      for (const row of rows) listener.sayRow(row);
      if (isNew) listener.say("message", step);
      if (hasChanged) listener.say("message", { kind: "changed" });
      listener.sayThatAlive();
    }
  }
}

/** Changes whenever something of the run does. */
function stateKey(folder: RunFolder): string {
  const files = [folder.file("metrics.jsonl"), folder.file("log.txt"), folder.file("config.json")];
  const sizes = files.map((path) => {
    const found = statSync(path, { throwIfNoEntry: false });
    return found === undefined ? "" : `${found.size} ${found.mtimeMs}`;
  });
  return `${sizes.join(";")} ${isPaused(folder)} ${lockHolder(folder.lockPath) !== undefined}`;
}

/** Rows as they are appended to a run's metrics: only what is new is read. */
class NewRows {
  /** Bytes that were read: whole lines. */
  #read: number;
  #step = 0;

  /** From its end on. */
  constructor(readonly path: string) {
    this.#read = sizeOf(path);
  }

  /** Those since the last time; all, where the run went on from an earlier checkpoint and rows were taken back. */
  take(): readonly MetricsRow[] {
    const isCut = sizeOf(this.path) < this.#read;
    let rows = isCut ? undefined : this.#takeNew();
    if (rows === undefined || (rows[0]?.step ?? this.#step) < this.#step) {
      this.#read = 0;
      rows = this.#takeNew();
    }
    this.#step = rows?.at(-1)?.step ?? this.#step;
    return rows ?? []; // damaged: the run's page says so
  }

  /** @returns undefined where a line is no row */
  #takeNew(): readonly MetricsRow[] | undefined {
    const bytes = readFrom(this.path, this.#read);
    const whole = bytes.subarray(0, bytes.lastIndexOf("\n") + 1);
    this.#read += whole.length;
    try {
      return whole.toString("utf8").split("\n").slice(0, -1).map(parseRow);
    } catch {
      return undefined;
    }
  }
}

/** What a file holds from a place on. */
function readFrom(path: string, place: number): Buffer {
  const length = sizeOf(path) - place;
  if (length <= 0) return Buffer.alloc(0);
  const file = openSync(path, "r");
  try {
    const bytes = Buffer.alloc(length);
    return bytes.subarray(0, readSync(file, bytes, 0, length, place));
  } finally {
    closeSync(file);
  }
}

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

/** An epoch's row has the step of its last one, and may have come after it. */
function rowsAfter(path: string, since: number): readonly MetricsRow[] {
  try {
    return readMetrics(path).filter(({ step, kind }) => step > since || (step === since && kind === "epoch"));
  } catch {
    return []; // damaged: the run's page says so
  }
}
