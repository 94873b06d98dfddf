import type { Answer, Request } from "./protocol.js";

/** Where an exported network is, and what `encodeDescription` says of it. */
export interface ModelPlace {
  readonly model: string;
  readonly description: string;
}

export interface Classified {
  /** In the order of the classes. */
  readonly probabilities: Float64Array;
  readonly milliseconds: number;
}

type Unsent<T> = T extends unknown ? Omit<T, "id"> : never;

/** A network that computes in the browser, in a thread of its own, so that the page stays quick. */
export class BrowserModel {
  readonly #worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  readonly #waiting = new Map<number, { resolve(answer: Answer): void; reject(error: Error): void }>();
  readonly #tell: (share: number | undefined) => void;
  #last = 0;
  classes: readonly string[] = [];
  threads = 1;

  /** @param tell of the share that is downloaded; undefined where nobody says how much there is */
  constructor(tell: (share: number | undefined) => void) {
    this.#tell = tell;
    this.#worker.onmessage = ({ data }: MessageEvent<Answer>) => this.#take(data);
    this.#worker.onerror = ({ message }) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(message || "the worker can't be started"));
      this.#waiting.clear();
    };
  }

  async load({ model, description }: ModelPlace): Promise<void> {
    const absolute = (url: string): string => new URL(url, location.href).href;
    const answer = await this.#ask({ kind: "load", model: absolute(model), description: absolute(description) });
    if (answer.kind !== "loaded") throw new Error("the worker answered something else");
    this.classes = answer.classes;
    this.threads = answer.threads;
  }

  async classify(file: Blob, views: number): Promise<Classified> {
    const answer = await this.#ask({ kind: "classify", file, views });
    if (answer.kind !== "classified") throw new Error("the worker answered something else");
    return answer;
  }

  close(): void {
    this.#worker.terminate();
  }

  #ask(request: Unsent<Request>): Promise<Answer> {
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ ...request, id });
    });
  }

  #take(answer: Answer): void {
    if (answer.kind === "progress") {
      this.#tell(answer.total > 0 ? answer.done / answer.total : undefined);
      return;
    }
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if (answer.kind === "failed") waiting?.reject(new Error(answer.message));
    else waiting?.resolve(answer);
  }
}
