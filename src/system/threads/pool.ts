import { AlexnetError } from "../../errors.js";
import { type Remote, Thread } from "./call.js";

// Piscina was tried in place of this: it ends threads by Worker.terminate, which inside of a native call that fails just
// then aborts the process, and its errors cross without code and hints.

const YOUNG_MEGABYTES = 8; // of a thread's heap: pictures lie outside of it, so little is needed
const AHEAD = 2; // calls a thread has at once, so that it need not wait for the main thread between two

interface Task<Surface> {
  readonly begin: (calls: Remote<Surface>) => Promise<void>;
  readonly reject: (error: unknown) => void;
}

/** Threads that all serve the same surface, each one call at a time. */
export class Pool<Setup, Surface> {
  readonly #name: string;
  readonly #threads: { readonly thread: Thread<Setup, Surface>; calls: number }[];
  readonly #queue: Task<Surface>[] = [];
  #closed = false;

  /** @param name of one of them, in errors: "a thread that loads pictures" */
  constructor(script: URL, size: number, setup: Setup, name: string) {
    this.#name = name;
    const options = { name, resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MEGABYTES } };
    this.#threads = Array.from({ length: size }, () => ({ thread: new Thread(script, setup, options), calls: 0 }));
  }

  /** Makes one call, on the thread with the least to do, in the order of asking: `pool.run((calls) => calls.load(…))`. */
  run<T>(use: (calls: Remote<Surface>) => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ begin: (calls) => use(calls).then(resolve, reject), reject });
      this.#dispatch();
    });
  }

  /** Ends the threads after the calls they are at. Calls that haven't begun are refused. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#dispatch();
    await Promise.allSettled(this.#threads.map(({ thread }) => thread.ready)); // calls wait for it, too
    await Promise.all(this.#threads.map(({ thread }) => thread.close()));
  }

  #dispatch(): void {
    if (this.#closed)
      for (const { reject } of this.#queue.splice(0)) reject(new AlexnetError("closed", `${this.#name} was closed`));
    for (;;) {
      const least = this.#threads.reduce((a, b) => (b.calls < a.calls ? b : a));
      const task = least.calls < AHEAD ? this.#queue.shift() : undefined;
      if (task === undefined) return;
      least.calls++;
      least.thread.ready
        .then(task.begin)
        .catch(task.reject)
        .finally(() => {
          least.calls--;
          this.#dispatch();
        });
    }
  }
}
