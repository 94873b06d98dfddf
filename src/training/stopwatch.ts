/** How fast pictures go by, and how much of the time was spent waiting for them. */
export class Stopwatch {
  #began = performance.now();
  #samples = 0;
  #waited = 0;

  /** Counts the time until `promise` settles as waiting. */
  async wait<T>(promise: Promise<T>): Promise<T> {
    const began = performance.now();
    try {
      return await promise;
    } finally {
      this.#waited += performance.now() - began;
    }
  }

  add(samples: number): void {
    this.#samples += samples;
  }

  get seconds(): number {
    return (performance.now() - this.#began) / 1000;
  }

  read(): { readonly imagesPerSecond: number; readonly waiting: number } {
    const seconds = Math.max(this.seconds, 1e-9);
    return { imagesPerSecond: this.#samples / seconds, waiting: Math.min(1, this.#waited / 1000 / seconds) };
  }
}
