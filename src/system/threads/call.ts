import { type ResourceLimits, Worker } from "node:worker_threads";
import { AlexnetError } from "../../errors.js";
import { placeOf } from "../mapped-memory.js";
import { unpackError } from "./crossing-error.js";
import {
  type Argument,
  type Closable,
  type MessageFromThread,
  type MessageToThread,
  movedWith,
  OPENING,
  type ReadyMessage,
  SURFACE,
} from "./protocol.js";

/** A surface as other threads see it: its calls promise; what is to be closed stays on the thread; values are copies. */
export type Remote<Surface> = {
  readonly [K in keyof Surface]: Surface[K] extends (...args: infer Arguments) => infer Result
    ? (...args: Arguments) => Promise<Answer<Awaited<Result>>>
    : Surface[K];
};

type Answer<Result> = Result extends Closable ? Remote<Result> : Result;

/** How errors of the protocol itself speak of a thread. */
export interface ThreadWords {
  /** @param how "ended with code 1" */
  readonly died: (how: string) => string;
  readonly closed: string;
  /** Of a call of an object that was closed. */
  readonly released?: (call: string) => string;
}

export interface ThreadOptions {
  /** "the thread that writes checkpoints"; or more than its name. */
  readonly name: string | ThreadWords;
  readonly resourceLimits?: ResourceLimits;
}

/** The surface types what crossed: both ends are compiled against it. So it can be given for whatever is expected. */
type Crossed = never;

interface Pending {
  /** Mapped values lie in them: they stay until the call is answered. */
  readonly args: readonly unknown[];
  readonly resolve: (value: Crossed) => void;
  readonly reject: (error: Error) => void;
}

/** A thread that serves a surface: the caller's end of the protocol (protocol.ts). */
export class Thread<Setup, Surface> {
  /** What the thread serves, once it is open. Rejects as its opening failed. */
  readonly ready: Promise<Remote<Surface>>;
  readonly #worker: Worker;
  readonly #words: ThreadWords;
  readonly #pending = new Map<number, Pending>();
  readonly #ended: Promise<void>;
  #lastId = OPENING;
  /** Why no call is taken any more. */
  #refusal: Error | undefined;
  #closing: Promise<void> | undefined;

  constructor(script: URL, setup: Setup, { name, resourceLimits }: ThreadOptions) {
    this.#words = typeof name === "string" ? wordsOf(name) : name;
    this.#worker = new Worker(script, {
      workerData: setup,
      resourceLimits,
      execArgv: [], // the process's own, such as --input-type, may not fit
    });
    this.#worker.on("message", (message: MessageFromThread<Crossed>) => this.#settle(message));
    this.#worker.on("messageerror", (error) => this.#fail(`sent what can't be read (${error.message})`, error));
    this.#worker.on("error", (error) => this.#fail(`was ended by an error (${error.message})`, error));
    this.#ended = new Promise((resolve) => {
      this.#worker.on("exit", (code) => {
        if (this.#closing !== undefined && code === 0) this.#refuseAll(this.#closedError);
        else this.#fail(`ended with code ${code}`);
        resolve();
      });
    });
    this.ready = new Promise((resolve, reject) => this.#expect(OPENING, { args: [], resolve, reject }));
    this.ready.catch(() => {}); // counts for those who wait for it
  }

  /** Whether it takes calls: not closed, terminated or dead. */
  get isOpen(): boolean {
    return this.#refusal === undefined;
  }

  /** Ends the thread after the call it is at, once its surface is closed; takes no more. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Ends the thread at once, by an error for all that is under way. Only where it can't be inside of a native call. */
  async terminate(reason: Error): Promise<void> {
    this.#refuseAll(reason);
    await this.#worker.terminate();
  }

  async #close(): Promise<void> {
    if (this.#refusal !== undefined) return this.#ended;
    this.#refusal = this.#closedError;
    const isOpen = await this.ready.then(
      () => true,
      () => false,
    );
    const closed = isOpen ? this.#send((id) => ({ kind: "end", id }), [], []) : undefined;
    await Promise.allSettled([closed]);
    await this.#ended;
    await closed;
  }

  #call(object: number, method: string, args: readonly unknown[]): Promise<Crossed> {
    if (this.#refusal !== undefined) return Promise.reject(this.#refusal);
    const packed = args.map(pack);
    const moved = [...new Set(args.flatMap(movedWith))];
    return this.#send((id) => ({ kind: "call", id, object, method, args: packed }), args, moved);
  }

  #send(
    message: (id: number) => MessageToThread,
    args: readonly unknown[],
    moved: readonly ArrayBuffer[],
  ): Promise<Crossed> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#worker.postMessage(message(id), moved); // what can't cross is thrown here
      this.#expect(id, { args, resolve, reject });
    });
  }

  /** The process waits for answers, not for idle threads. */
  #expect(id: number, pending: Pending): void {
    this.#worker.ref();
    this.#pending.set(id, pending);
  }

  #settle(message: MessageFromThread<Crossed>): void {
    const pending = this.#pending.get(message.id);
    this.#pending.delete(message.id);
    if (this.#pending.size === 0 && this.#closing === undefined) this.#worker.unref();
    if (message.kind === "failure") {
      const error = unpackError(message.error);
      if (message.id === OPENING) this.#refusal ??= error;
      pending?.reject(error);
    } else pending?.resolve(message.kind === "answer" ? message.value : this.#object(message));
  }

  #object({ object, calls, values }: ReadyMessage<Crossed>): Crossed {
    let released = false;
    const call = (name: string, args: readonly unknown[]): Promise<unknown> => {
      if (object === SURFACE || !released) {
        released = name === "close";
        return this.#call(object, name, args);
      }
      if (name === "close") return Promise.resolve();
      const text = this.#words.released?.(name) ?? `${name}: called after close`;
      return Promise.reject(this.#refusal ?? new AlexnetError("closed", text));
    };
    const members = calls.map((name) => [name, (...args: unknown[]) => call(name, args)]);
    return Object.assign(values, Object.fromEntries(members));
  }

  #fail(how: string, cause?: Error): void {
    const isMemory = cause !== undefined && "code" in cause && cause.code === "ERR_WORKER_OUT_OF_MEMORY";
    this.#refuseAll(new AlexnetError(isMemory ? "memory" : "engine", this.#words.died(how), { cause }));
  }

  get #closedError(): AlexnetError {
    return new AlexnetError("closed", this.#words.closed);
  }

  /** Fails what is under way, and whatever is asked for later. */
  #refuseAll(error: Error): void {
    this.#refusal ??= error;
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }
}

function wordsOf(name: string): ThreadWords {
  return { died: (how) => `${name} ${how}`, closed: `${name} was closed` };
}

function pack(value: unknown): Argument {
  const mapped = value instanceof Float32Array ? placeOf(value) : undefined;
  return mapped === undefined ? { value } : { mapped };
}
