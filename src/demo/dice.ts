import { uniform } from "../random.js";

/** Random draws in a row, each a pure function of the keys and its place in the row. */
export class Dice {
  readonly #keys: readonly number[];
  #drawn = 0;

  constructor(...keys: readonly number[]) {
    this.#keys = keys;
  }

  /** Uniform in [from, to). */
  between(from: number, to: number): number {
    return from + (to - from) * uniform(...this.#keys, this.#drawn++);
  }

  /** A whole number, both ends included. */
  whole(from: number, to: number): number {
    return Math.floor(this.between(from, to + 1));
  }

  chance(probability: number): boolean {
    return this.between(0, 1) < probability;
  }

  /** 1 or -1. */
  sign(): number {
    return this.chance(0.5) ? 1 : -1;
  }

  pick<T>(choices: readonly [T, ...T[]]): T {
    return choices[this.whole(0, choices.length - 1)] ?? choices[0];
  }
}
