import { describe, expect, it } from "vitest";
import { allReduce, type Exchange, reductions, secondsOf, type Wire } from "#src/distributed/cost/collectives.js";

const VALUES = 2520; // divisible by every number of ranks up to 10, and by the powers of two among them
const BYTES = 4 * VALUES;

/** Ranks with values of their own, which send each other messages in rounds and count what that costs. */
class Ranks {
  readonly values: Float64Array[];
  readonly #sent: number[];
  readonly #summed: number[];
  #rounds = 0;

  constructor(count: number) {
    this.values = Array.from({ length: count }, (_, rank) => Float64Array.from({ length: VALUES }, (_, i) => rank + i));
    this.#sent = Array<number>(count).fill(0);
    this.#summed = Array<number>(count).fill(0);
  }

  /** One message each at the most, all at the same time. @param end exclusive */
  round(messages: readonly { from: number; to: number; start: number; end: number; add: boolean }[]): void {
    this.#rounds++;
    const parts = messages.map(({ from, start, end }) => (this.values[from] as Float64Array).slice(start, end));
    for (const [i, { from, to, start, end, add }] of messages.entries()) {
      const target = this.values[to] as Float64Array;
      for (let at = start; at < end; at++) target[at] = (parts[i]?.[at - start] ?? 0) + (add ? (target[at] ?? 0) : 0);
      this.#sent[from] = (this.#sent[from] ?? 0) + 4 * (end - start);
      this.#summed[to] = (this.#summed[to] ?? 0) + (add ? 4 * (end - start) : 0);
    }
  }

  /** Of whoever has most to do of each. */
  get exchange(): Exchange {
    return { rounds: this.#rounds, sentBytes: Math.max(...this.#sent), summedBytes: Math.max(...this.#summed) };
  }
}

function ring(ranks: Ranks): void {
  const count = ranks.values.length;
  const part = VALUES / count;
  for (const add of [true, false])
    for (let round = 0; round < count - 1; round++)
      ranks.round(
        Array.from({ length: count }, (_, from) => {
          const piece = (from - round + (add ? 0 : 1) + 2 * count) % count;
          return { from, to: (from + 1) % count, start: piece * part, end: (piece + 1) * part, add };
        }),
      );
}

/** Ranks beyond a power of two hand theirs to another before, and are handed the sum after. */
function inPowerOfTwo(ranks: Ranks, reduce: (power: number) => void): void {
  const count = ranks.values.length;
  const power = 2 ** Math.floor(Math.log2(count));
  const beyond = Array.from({ length: count - power }, (_, i) => i);
  const whole = { start: 0, end: VALUES };
  if (beyond.length > 0) ranks.round(beyond.map((i) => ({ from: power + i, to: i, ...whole, add: true })));
  reduce(power);
  if (beyond.length > 0) ranks.round(beyond.map((i) => ({ from: i, to: power + i, ...whole, add: false })));
}

function doubling(ranks: Ranks): void {
  inPowerOfTwo(ranks, (power) => {
    for (let distance = 1; distance < power; distance *= 2)
      ranks.round(
        Array.from({ length: power }, (_, from) => ({ from, to: from ^ distance, start: 0, end: VALUES, add: true })),
      );
  });
}

function halving(ranks: Ranks): void {
  inPowerOfTwo(ranks, (power) => {
    const held = Array.from({ length: power }, () => ({ start: 0, end: VALUES }));
    const at = (rank: number): { start: number; end: number } => held[rank] as { start: number; end: number };
    for (let distance = power / 2; distance >= 1; distance /= 2) {
      const messages = held.map(({ start, end }, from) => {
        const middle = (start + end) / 2;
        const to = from ^ distance;
        return { from, to, add: true, ...(from < to ? { start: middle, end } : { start, end: middle }) };
      });
      ranks.round(messages);
      for (const { to, start, end } of messages) held[to] = { start, end };
    }
    for (let distance = 1; distance < power; distance *= 2) {
      ranks.round(held.map((part, from) => ({ from, to: from ^ distance, add: false, ...part })));
      for (let rank = 0; rank < power; rank++)
        if ((rank & distance) === 0) {
          const both = { start: at(rank).start, end: at(rank ^ distance).end };
          held[rank] = both;
          held[rank ^ distance] = both;
        }
    }
  });
}

describe.each([
  ["ring", ring],
  ["doubling", doubling],
  ["halving", halving],
] as const)("the cost of %s", (name, reduce) => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8, 9])("is what it costs when %i ranks really send their messages", (count) => {
    const ranks = new Ranks(count);
    reduce(ranks);
    const sum = Float64Array.from({ length: VALUES }, (_, i) => count * i + (count * (count - 1)) / 2);
    for (const values of ranks.values) expect(values).toEqual(sum);
    const { rounds, sentBytes, summedBytes } = reductions[name](count, BYTES);
    expect({ rounds, sentBytes: Math.round(sentBytes), summedBytes: Math.round(summedBytes) }).toEqual(ranks.exchange);
  });
});

describe("the quickest reduction", () => {
  const wire: Wire = { bytesPerSecond: 1.25e9, latency: 20e-6, sumBytesPerSecond: 5e9 };

  it("of few values takes few messages, of many values few bytes", () => {
    expect(allReduce(8, 24, wire)).toEqual(reductions.doubling(8, 24));
    expect(allReduce(8, 244e6, wire)).toEqual(reductions.halving(8, 244e6));
    expect(allReduce(6, 244e6, wire)).toEqual(reductions.ring(6, 244e6));
  });

  it("sends nothing in a world of one", () => {
    expect(secondsOf(allReduce(1, 244e6, wire), wire)).toBe(0);
  });

  it("of 244 MB at 10 Gbit/s takes many ranks twice their time on the wire, and that of adding them up", () => {
    expect(secondsOf(allReduce(1024, 244e6, wire), wire)).toBeCloseTo((2 * 244e6) / 1.25e9 + 244e6 / 5e9, 2);
  });
});
