import { once } from "node:events";
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from "node:worker_threads";
import { AlexnetError } from "../../../errors.js";
import { type Constants, type KernelName, kernelOf } from "./kernels.js";

/**
 * The threads that carry out a program's operations in TypeScript, row by row: the thread that computes, and workers
 * beside it as the library has. Rows are samples; who works on which makes no difference to any result.
 *
 * A worker sleeps in `Atomics.wait` until the generation changes, then takes rows, one by one, as long as there are any:
 *
 *     control   generation   next row, with the generation it belongs to   rows   operation   rows done   failed
 *
 * The next row is taken by compare-and-exchange, so that one who comes late, from a generation before, takes none. The
 * thread that computes takes rows too, and waits for those that others have. Nobody waits for a worker to start.
 */
export class Team {
  readonly #control = new Int32Array(new SharedArrayBuffer(4 * CONTROL_LENGTH));
  readonly #size: number;
  readonly #ports: MessagePort[] = [];
  readonly #ended: Promise<unknown>[] = [];
  #kernels = 0;
  #closed = false;

  /** @param threads how many carry out rows, with the one that computes */
  constructor(threads: number) {
    this.#size = Math.min(threads, MOST_THREADS);
  }

  /** Makes an operation ready on all threads. */
  prepare<K extends KernelName>(name: K, constants: Constants<K>): PreparedRows {
    const own = kernelOf(name, constants);
    const id = this.#kernels++;
    let told = 0;
    return {
      run: (rows) => {
        if (this.#closed) throw new AlexnetError("closed", "the engine's threads are closed");
        if (rows > 1) this.#start();
        for (; told < this.#ports.length; told++)
          this.#ports[told].postMessage({ id, what: { name, constants } } satisfies Told);
        this.#run(id, rows, own);
      },
      close: () => {
        for (const port of this.#ports.slice(0, told)) port.postMessage({ id } satisfies Told);
      },
    };
  }

  /** Ends the workers. Until they have ended, their thread must not: Node.js 20.9 aborts where it ends them itself. */
  async close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      Atomics.store(this.#control, OPERATION, CLOSED);
      this.#wake();
      for (const port of this.#ports) port.close();
    }
    await Promise.all(this.#ended);
  }

  #start(): void {
    while (this.#ports.length < this.#size - 1) {
      const { port1, port2 } = new MessageChannel();
      const worker = new Worker(new URL("./worker.js", import.meta.url), {
        workerData: { control: this.#control, port: port2 } satisfies WorkerStart,
        transferList: [port2],
        execArgv: [], // Node.js 20.9 refuses some of those that the process may have
      });
      this.#ended.push(once(worker, "exit"));
      worker.unref();
      port1.unref();
      this.#ports.push(port1);
    }
  }

  #run(id: number, rows: number, kernel: (row: number) => void): void {
    const control = this.#control;
    const generation = (Atomics.load(control, GENERATION) + 1) & GENERATION_MASK;
    Atomics.store(control, ROWS, rows);
    Atomics.store(control, OPERATION, id);
    Atomics.store(control, DONE, 0);
    Atomics.store(control, NEXT, generation << ROW_BITS);
    Atomics.store(control, GENERATION, generation);
    Atomics.notify(control, GENERATION);
    const error = takeRows(control, generation, kernel);
    for (let done = Atomics.load(control, DONE); done < rows; done = Atomics.load(control, DONE))
      Atomics.wait(control, DONE, done);
    const failed = Atomics.exchange(control, FAILED, 0) !== 0;
    if (error !== undefined) throw error;
    if (failed) throw this.#failure();
  }

  #wake(): void {
    Atomics.add(this.#control, GENERATION, 1);
    Atomics.notify(this.#control, GENERATION);
  }

  #failure(): unknown {
    for (const port of this.#ports) {
      const received = receiveMessageOnPort(port);
      if (received !== undefined) return received.message;
    }
    return new Error("a thread failed without saying why");
  }
}

/** An operation that is ready. */
export interface PreparedRows {
  run(rows: number): void;
  /** Has the workers forget it. */
  close(): void;
}

/** What a worker is told of an operation: what it is, before it is first run; nothing more, once it is to be forgotten. */
export interface Told {
  readonly id: number;
  readonly what?: { readonly name: KernelName; readonly constants: unknown };
}

export interface WorkerStart {
  readonly control: Int32Array;
  readonly port: MessagePort;
}

/** More gain nothing: what rows cost is then a small part of a step. */
const MOST_THREADS = 16;
const ROW_BITS = 16;
const GENERATION_MASK = 0x7fff;

/** Places in the control block. */
export const [GENERATION, NEXT, ROWS, OPERATION, DONE, FAILED, CONTROL_LENGTH] = [0, 1, 2, 3, 4, 5, 6] as const;
/** In place of an operation. */
export const CLOSED = -1;

/** Carries out rows of this generation as long as there are any. @returns what the last one that failed threw */
export function takeRows(control: Int32Array, generation: number, kernel: (row: number) => void): unknown {
  let failure: unknown;
  for (;;) {
    const next = Atomics.load(control, NEXT);
    const row = next & ((1 << ROW_BITS) - 1);
    if (next >> ROW_BITS !== generation || row >= Atomics.load(control, ROWS)) return failure;
    if (Atomics.compareExchange(control, NEXT, next, next + 1) !== next) continue;
    try {
      kernel(row);
    } catch (error) {
      failure = error;
      Atomics.store(control, FAILED, 1);
    }
    Atomics.add(control, DONE, 1);
    Atomics.notify(control, DONE);
  }
}
