import { HttpProblem } from "./problems.js";

/** How many may work, and wait, at once: the rest are told to come back. */
export class Crowd {
  readonly #most: number;
  #inside = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** @throws HttpProblem 429 when it is full */
  async with<T>(work: () => Promise<T>): Promise<T> {
    if (this.#inside >= this.#most)
      throw new HttpProblem(429, "The server is busy; try again in a second.", { "retry-after": "1" });
    this.#inside++;
    try {
      return await work();
    } finally {
      this.#inside--;
    }
  }
}
