/** Work of one kind of which some may be under way at once: so many batches of one program. */
export interface Overlap {
  /** What they have in common. */
  readonly of: object;
  readonly most: number;
}

interface Turn {
  readonly overlap: Overlap | undefined;
  readonly begin: () => Promise<void>;
}

/**
 * Carries out work in the order it is asked for. Each piece begins once those before it are done, also when they answer
 * late; pieces that share an overlap begin while others of it, and only those, are under way.
 */
export class Turns {
  readonly #waiting: Turn[] = [];
  #underWay = 0;
  /** Of what is under way. */
  #overlap: Overlap | undefined;

  /** Begins at once where nothing is before it. */
  take<T>(work: () => T | Promise<T>, overlap?: Overlap): Promise<T> {
    return new Promise((resolve, reject) => {
      const begin = () => new Promise<T>((settle) => settle(work())).then(resolve, reject);
      this.#waiting.push({ overlap, begin });
      this.#beginWhatMay();
    });
  }

  /** Forgets what hasn't begun: it is never answered. */
  drop(): void {
    this.#waiting.length = 0;
  }

  #beginWhatMay(): void {
    for (let next = this.#waiting[0]; next !== undefined && this.#mayBegin(next); next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#underWay++;
      this.#overlap = next.overlap;
      next.begin().then(() => {
        this.#underWay--;
        this.#beginWhatMay();
      });
    }
  }

  #mayBegin({ overlap }: Turn): boolean {
    if (this.#underWay === 0) return true;
    return overlap !== undefined && overlap.of === this.#overlap?.of && this.#underWay < overlap.most;
  }
}
