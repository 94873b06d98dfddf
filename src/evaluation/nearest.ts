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
    return this.#uppers.length < this.#count
      ? Number.POSITIVE_INFINITY
      : (this.#uppers.at(-1) ?? Number.POSITIVE_INFINITY);
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
    const place = this.#uppers.findIndex((other) => other > upper);
    this.#uppers.splice(place < 0 ? this.#uppers.length : place, 0, upper);
    if (this.#uppers.length > this.#count) this.#uppers.pop();
  }

  #thin(): void {
    const isKept = this.#lowers.map((lower) => lower <= this.bound);
    this.#rows = this.#rows.filter((_, i) => isKept[i]);
    this.#lowers = this.#lowers.filter((_, i) => isKept[i]);
  }
}
