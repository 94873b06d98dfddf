import { statSync } from "node:fs";
import type { FastifyReply, FastifyRequest } from "fastify";
import { isPaused } from "../runs/control.js";
import type { RunFolder } from "../runs/folder.js";
import { lockHolder } from "../runs/lock.js";
import { readMetrics } from "../runs/metrics.js";

const LOOK = 500; // milliseconds between looks at a run's files
const PING = 15_000; // milliseconds of silence after which something is said, so that a lost connection is seen

/**
 * Tells browsers what happens in runs, as server-sent events, by looking at the runs' files: the process that trains knows
 * nothing of it. An event is what the training tells (`TrainEvent`); "changed" stands for what has to be asked for.
 */
export class Live {
  readonly #open = new Set<() => void>();

  /** Ends all connections. */
  close(): void {
    for (const end of this.#open) end();
  }

  follow(folder: RunFolder, request: FastifyRequest, reply: FastifyReply): void {
    reply.hijack();
    const { raw } = reply;
    raw.writeHead(200, {
      ...(reply.getHeaders() as Record<string, string>),
      "content-type": "text/event-stream",
      "cache-control": "no-store",
    });
    const metrics = folder.file("metrics.jsonl");
    const latest = (): number => rowsOf(metrics).at(-1)?.step ?? 0;
    const since = Number(request.headers["last-event-id"] ?? Number.NaN);
    let told = Number.isFinite(since) ? since : latest();
    let seen = "";
    let spoke = Date.now();
    const say = (event: string, data: unknown, id?: number): void => {
      spoke = Date.now();
      raw.write(`${id === undefined ? "" : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
    };
    raw.write("retry: 1000\n\n");
    const look = (): void => {
      const state = stateKey(folder);
      if (state !== seen) {
        const isFirst = seen === "";
        seen = state;
        const rows = rowsOf(metrics);
        if ((rows.at(-1)?.step ?? 0) < told) told = 0; // it went on from an earlier checkpoint
        for (const row of rows.filter(({ step }) => step > told)) {
          told = row.step;
          say("message", row.kind === "epoch" ? { kind: "epoch", row } : { kind: "row", row }, row.step);
        }
        if (!isFirst) say("message", { kind: "changed" });
      }
      if (Date.now() - spoke >= PING) say("ping", "");
    };
    const timer = setInterval(look, LOOK);
    const end = (): void => {
      clearInterval(timer);
      this.#open.delete(end);
      raw.end();
    };
    this.#open.add(end);
    request.raw.on("close", end);
    look();
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

function rowsOf(path: string): ReturnType<typeof readMetrics> {
  try {
    return readMetrics(path);
  } catch {
    return []; // damaged: the run's page says so
  }
}
