import { HttpProblem } from "./problems.js";

/** A place among those who work: given back when nothing holds it any more. */
export interface Place {
  /** Holds it until the work is done, also where nobody waits for the answer any more. */
  during<T>(work: () => Promise<T>): Promise<T>;
  /** The answer is given, or whoever asked is gone. */
  leave(): void;
}

/**
 * How many may send what is to be computed, have it computed and wait at once, and how many bytes they may bring together:
 * the rest are told to come back before a byte of theirs is read.
 */
export class Crowd {
  readonly #most: number;
  readonly #mostBytes: number;
  #inside = 0;
  #bytes = 0;

  constructor(most: number, mostBytes: number) {
    this.#most = most;
    this.#mostBytes = mostBytes;
  }

  /**
   * @param bytes that the request may bring
   * @throws HttpProblem 429 when it is full
   */
  enter(bytes: number): Place {
    if (this.#inside >= this.#most || (this.#inside > 0 && this.#bytes + bytes > this.#mostBytes))
      throw new HttpProblem(429, "The server is busy; try again in a second.", { "retry-after": "1" });
    this.#inside++;
    this.#bytes += bytes;
    let holds = 1;
    const leave = (): void => {
      holds -= 1;
      if (holds > 0) return;
      this.#inside--;
      this.#bytes -= bytes;
    };
    return {
      leave,
      async during(work) {
        holds++;
        try {
          return await work();
        } finally {
          leave();
        }
      },
    };
  }
}
