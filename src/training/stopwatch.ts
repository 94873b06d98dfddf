/** How fast pictures go by, and how much of the time was spent waiting for them. */
export interface Rate {
  readonly imagesPerSecond: number;
  /** Share of the time, 0 to 1. */
  readonly waiting: number;
}

class Stopwatch {
  readonly #began = performance.now();
  #samples = 0;
  #waited = 0;

  add(samples: number): void {
    this.#samples += samples;
  }

  addWaiting(milliseconds: number): void {
    this.#waited += milliseconds;
  }

  get seconds(): number {
    return (performance.now() - this.#began) / 1000;
  }

  read(): Rate {
    const seconds = Math.max(this.seconds, 1e-9);
    return { imagesPerSecond: this.#samples / seconds, waiting: Math.min(1, this.#waited / 1000 / seconds) };
  }
}

const LATELY_SECONDS = 10;

/** The time of training: since the latest row of metrics, of the epoch, and lately. */
export class Timing {
  #row = new Stopwatch();
  #epoch = new Stopwatch();
  #current = new Stopwatch();
  #lately: Rate | undefined;

  /** Counts the time until `promise` settles as waiting; only from when `busy` has settled on, where it is given. */
  async wait<T>(promise: Promise<T>, busy?: Promise<unknown>): Promise<T> {
    let idleSince = busy === undefined ? performance.now() : Number.POSITIVE_INFINITY;
    const idle = (): void => {
      idleSince = performance.now();
    };
    busy?.then(idle, idle);
    try {
      return await promise;
    } finally {
      const waited = Math.max(0, performance.now() - idleSince);
      for (const watch of this.#watches) watch.addWaiting(waited);
    }
  }

  add(samples: number): void {
    for (const watch of this.#watches) watch.add(samples);
    if (this.#lately === undefined || this.#current.seconds >= LATELY_SECONDS) this.#lately = this.#current.read();
    if (this.#current.seconds >= LATELY_SECONDS) this.#current = new Stopwatch();
  }

  /** Over the last few seconds of steps. */
  get lately(): Rate {
    return this.#lately ?? { imagesPerSecond: 0, waiting: 0 };
  }

  get epoch(): Rate {
    return this.#epoch.read();
  }

  get epochSeconds(): number {
    return this.#epoch.seconds;
  }

  endRow(): Rate {
    const rate = this.#row.read();
    this.#row = new Stopwatch();
    return rate;
  }

  /** What comes before the next step counts as neither: validation, writing. */
  beginEpoch(): void {
    this.#row = new Stopwatch();
    this.#epoch = new Stopwatch();
    this.#current = new Stopwatch();
  }

  get #watches(): readonly Stopwatch[] {
    return [this.#row, this.#epoch, this.#current];
  }
}
