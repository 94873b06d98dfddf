import { type TransferListItem, Worker } from "node:worker_threads";
import { AlexnetError } from "../../errors.js";
import { END, type Failure } from "./answer-requests.js";

const YOUNG_MEGABYTES = 8; // of a worker's heap: pictures lie outside of it, so little is needed
const AHEAD = 2; // requests a worker has at once, so that it need not wait for the main thread between two

type Reply<Response> =
  | { readonly id: number; readonly response: Response }
  | { readonly id: number; readonly failure: Failure };

interface Call<Request, Response> {
  readonly request: Request;
  readonly transfer: readonly TransferListItem[];
  readonly resolve: (response: Response) => void;
  readonly reject: (reason: unknown) => void;
}

/** Threads that all answer the same kind of request, each one at a time. `answerRequests` is the other end. */
export class WorkerPool<Request, Response> {
  readonly #workers: {
    readonly worker: Worker;
    readonly calls: Map<number, Call<Request, Response>>;
    readonly ended: Promise<unknown>;
  }[];
  readonly #queue: Call<Request, Response>[] = [];
  #nextId = 0;
  #closed = false;

  constructor(script: URL, size: number, workerData: unknown) {
    this.#workers = Array.from({ length: size }, () => {
      const worker = new Worker(script, {
        workerData,
        execArgv: [], // not --input-type and the like
        resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MEGABYTES },
      });
      const calls = new Map<number, Call<Request, Response>>();
      worker.on("message", (reply: Reply<Response>) => {
        const call = calls.get(reply.id);
        calls.delete(reply.id);
        if ("failure" in reply) call?.reject(revive(reply.failure));
        else call?.resolve(reply.response);
        this.#dispatch();
      });
      const fail = (reason: unknown) => {
        for (const call of calls.values()) call.reject(reason);
        calls.clear();
      };
      worker.on("error", fail);
      worker.on("exit", (code) => {
        if (!this.#closed) fail(new Error(`worker thread ended with code ${code}`));
      });
      const ended = new Promise((resolve) => worker.on("exit", resolve));
      worker.unref();
      return { worker, calls, ended };
    });
  }

  get size(): number {
    return this.#workers.length;
  }

  run(request: Request, transfer: readonly TransferListItem[] = []): Promise<Response> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ request, transfer, resolve, reject });
      this.#dispatch();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const { worker } of this.#workers) {
      worker.ref();
      worker.postMessage(END);
    }
    await Promise.all(this.#workers.map(({ ended }) => ended));
    const left = [...this.#workers.flatMap(({ calls }) => [...calls.values()]), ...this.#queue.splice(0)];
    for (const call of left) call.reject(new Error("pool closed"));
  }

  /** Gives waiting calls to the workers with the least to do; they keep the process alive only while they have some. */
  #dispatch(): void {
    if (this.#closed) return; // their end is being waited for, by a process that may have nothing else to do
    for (;;) {
      const least = this.#workers.reduce((a, b) => (b.calls.size < a.calls.size ? b : a));
      const call = least.calls.size < AHEAD ? this.#queue.shift() : undefined;
      if (call === undefined) break;
      const id = this.#nextId++;
      least.calls.set(id, call);
      least.worker.postMessage({ id, request: call.request }, call.transfer);
    }
    for (const { worker, calls } of this.#workers) calls.size > 0 ? worker.ref() : worker.unref();
  }
}

function revive({ message, code }: Failure): Error {
  return code === undefined ? new Error(message) : new AlexnetError(code, message);
}
