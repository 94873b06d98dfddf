import { Worker } from "node:worker_threads";
import { AlexnetError } from "../../errors.js";
import type { Engine, EngineName } from "../engine.js";
import { openBest } from "./auto.js";
import type { Remote, Reply, Request, Start, Surface } from "./remote.js";
import { ENGINE, engineSurface, type OpenOptions, pack, programSurface } from "./remote.js";

export type { OpenOptions } from "./remote.js";

/**
 * Opens an engine on a compute thread of its own, so that the calling thread stays alive while it works. Calls are
 * carried out in the order they are made. "auto" is an NVIDIA GPU that was found to compute right here, else oneDNN;
 * the engine's `choice` says why. An engine keeps the process running only while a call is under way.
 * @throws AlexnetError "engine" saying what to install when the engine can't run here, "usage" for bad options.
 */
export async function openEngine(name: EngineName | "auto", options: OpenOptions = {}): Promise<Engine> {
  const { threads } = options;
  if (threads !== undefined && !(Number.isSafeInteger(threads) && threads >= 1))
    throw new AlexnetError(
      "invalid-option",
      `threads: ${threads} is not a number of threads; give a whole number from 1`,
    );
  const { precision = "float32" } = options;
  if (name === "auto") return openBest(open, options);
  if (name !== "cuda" && precision !== "float32")
    throw new AlexnetError(
      "invalid-option",
      `precision ${precision}: ${name} computes in float32; leave it out, or take cuda`,
    );
  return open(name, options);
}

async function open(name: EngineName, options: OpenOptions): Promise<Engine> {
  const thread = new ComputeThread({ name, options });
  try {
    const engine = thread.object(await thread.started, engineSurface);
    return { ...engine, close: () => thread.close() };
  } catch (error) {
    await thread.terminate();
    throw error;
  }
}

interface Pending {
  /** Mapped values lie in them: they stay until the call is answered. */
  readonly args: readonly unknown[];
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** The main thread's end: sends requests, settles their promises by the replies. */
class ComputeThread {
  readonly started: Promise<Remote>;
  readonly #name: EngineName;
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;
  /** Why no call is taken any more. */
  #refusal: AlexnetError | undefined;
  #closing: Promise<void> | undefined;

  constructor(start: Start) {
    this.#name = start.name;
    this.#worker = new Worker(new URL("./compute-thread.js", import.meta.url), {
      workerData: start,
      execArgv: [], // the process's own, such as --input-type, may not fit
    });
    this.#worker.on("message", (reply: Reply) => this.#settle(reply));
    this.#worker.on("messageerror", (error) => this.#fail(`sent an unreadable reply (${error.message})`));
    this.#worker.on("error", (error) => this.#fail(`was ended by an error (${error.message})`));
    this.#worker.on("exit", (code) => this.#fail(`ended with code ${code}`));
    this.started = this.#expect(0) as Promise<Remote>;
  }

  /** The object on the compute thread that `remote` stands for: the surface is what makes it a `T`. */
  object<T>(remote: Remote, surface: Surface<T>): T {
    const members = Object.entries(surface).map(([name, kind]) => {
      if (kind === "value") return [name, remote.values[name]];
      const call = (...args: unknown[]) => this.#call(remote.handle, name, args);
      if (kind === "call") return [name, call];
      return [name, async (...args: unknown[]) => this.object((await call(...args)) as Remote, programSurface)];
    });
    return Object.fromEntries(members) as T;
  }

  /** Ends the thread after the calls already made. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async terminate(): Promise<void> {
    await this.#worker.terminate();
  }

  async #close(): Promise<void> {
    if (this.#refusal !== undefined) return;
    const closed = this.#call(ENGINE, "close", []);
    this.#refusal = new AlexnetError("closed", `${this.#name}: this engine is closed; open it again`);
    try {
      await closed;
    } finally {
      await this.terminate();
    }
  }

  async #call(handle: number, method: string, args: readonly unknown[]): Promise<unknown> {
    if (this.#refusal !== undefined) throw this.#refusal;
    const id = ++this.#lastId;
    this.#worker.postMessage({ id, handle, method, args: args.map(pack) } satisfies Request);
    return this.#expect(id, args);
  }

  #expect(id: number, args: readonly unknown[] = []): Promise<unknown> {
    this.#worker.ref();
    return new Promise((resolve, reject) => this.#pending.set(id, { args, resolve, reject }));
  }

  #settle(reply: Reply): void {
    const pending = this.#pending.get(reply.id);
    this.#pending.delete(reply.id);
    if (this.#pending.size === 0) this.#worker.unref();
    if ("error" in reply) pending?.reject(revive(reply.error));
    else pending?.resolve(reply.value);
  }

  #fail(what: string): void {
    const error = new AlexnetError("engine", `${this.#name}: the compute thread ${what}; open the engine again`);
    this.#refusal ??= error;
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }
}

/** The error as it was thrown on the compute thread, its stack included. */
function revive({ code, message, stack }: Extract<Reply, { error: unknown }>["error"]): Error {
  const error = code === undefined ? new Error(message) : new AlexnetError(code, message);
  error.stack = stack;
  return error;
}
