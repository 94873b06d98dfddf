const CROWDED = 4096; // candidates before those are dropped that have fallen behind

/**
 * Which of many may be among the `count` smallest, when each value is only known to lie between two bounds: as long as
 * the bounds hold, all that are among them are candidates in the end.
 */
export class Nearest {
  readonly #count: number;
  readonly #uppers: number[] = []; // the smallest upper bounds, ascending, at most `count`
  #rows: number[] = [];
  #lowers: number[] = [];
  #crowded = CROWDED;

  constructor(count: number) {
    this.#count = count;
  }

  /** What is surely above this is not among them. */
  get bound(): number {
    return this.#uppers.length < this.#count ? Number.POSITIVE_INFINITY : this.#uppers[this.#count - 1];
  }

  offer(row: number, lower: number, upper: number): void {
    if (lower > this.bound) return;
    this.#rows.push(row);
    this.#lowers.push(lower);
    if (upper < this.bound) this.#insert(upper);
    if (this.#rows.length < this.#crowded) return;
    this.#thin();
    this.#crowded = Math.max(CROWDED, 2 * this.#rows.length);
  }

  candidates(): readonly number[] {
    this.#thin();
    return this.#rows;
  }

  #insert(upper: number): void {
    let place = this.#uppers.length;
    while (place > 0 && this.#uppers[place - 1] > upper) place--;
    this.#uppers.splice(place, 0, upper);
    if (this.#uppers.length > this.#count) this.#uppers.pop();
  }

  #thin(): void {
    const kept = this.#rows.map((_, i) => i).filter((i) => this.#lowers[i] <= this.bound);
    this.#rows = kept.map((i) => this.#rows[i]);
    this.#lowers = kept.map((i) => this.#lowers[i]);
  }
}
