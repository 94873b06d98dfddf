/**
 * What it costs ranks to exchange values, by the usual model: a message takes the wire's latency, and then as long as its
 * bytes take. Rounds of messages follow each other; in one round each rank sends one message and receives one. Formulas
 * for reductions: Thakur, Rabenseifner and Gropp, "Optimization of Collective Communication Operations in MPICH", 2005.
 */

/** What lies between ranks. Each sends and receives at the full rate at once, and nobody is in another's way. */
export interface Wire {
  /** Of one rank, in each direction. */
  readonly bytesPerSecond: number;
  /** Seconds until a message's first byte is there. */
  readonly latency: number;
  /** Bytes of values that a rank adds to others in a second. Default: the wire's rate was measured with the sums in it. */
  readonly sumBytesPerSecond?: number;
}

/** Of one rank: the one that has most to do. */
export interface Exchange {
  /** Messages one after another. */
  readonly rounds: number;
  readonly sentBytes: number;
  /** Bytes of received values that it adds to its own. */
  readonly summedBytes: number;
}

/** How values of all ranks become their sum on every rank. */
export const reductions = {
  /**
   * Each rank sends a part of the values to its neighbour, which adds its own and sends that on: after a round of the ring
   * less one, each holds one part's sum, which goes round once more. Fewest bytes, most messages.
   */
  ring: (ranks: number, bytes: number): Exchange => ({
    rounds: 2 * (ranks - 1),
    sentBytes: (2 * (ranks - 1) * bytes) / ranks,
    summedBytes: ((ranks - 1) * bytes) / ranks,
  }),

  /** Pairs exchange all values, then pairs of pairs, and so on. Fewest messages, most bytes. */
  doubling: (ranks: number, bytes: number): Exchange =>
    folded(ranks, bytes, (power) => {
      const rounds = Math.log2(power);
      return { rounds, sentBytes: rounds * bytes, summedBytes: rounds * bytes };
    }),

  /** Pairs exchange halves, then pairs of pairs quarters, until each holds one part's sum; and the same way back. */
  halving: (ranks: number, bytes: number): Exchange =>
    folded(ranks, bytes, (power) => ({
      rounds: 2 * Math.log2(power),
      sentBytes: (2 * (power - 1) * bytes) / power,
      summedBytes: ((power - 1) * bytes) / power,
    })),
} as const satisfies Readonly<Record<string, (ranks: number, bytes: number) => Exchange>>;

/** Trees want a power of two: ranks beyond it give their values to another rank first, and get the sum from it at the end. */
function folded(ranks: number, bytes: number, reduce: (power: number) => Exchange): Exchange {
  const power = 2 ** Math.floor(Math.log2(ranks));
  const { rounds, sentBytes, summedBytes } = reduce(power);
  if (power === ranks) return { rounds, sentBytes, summedBytes };
  return { rounds: rounds + 2, sentBytes: sentBytes + bytes, summedBytes: summedBytes + bytes };
}

/** The sum of values on every rank by the reduction that is quickest on this wire, as MPI's libraries choose theirs. */
export function allReduce(ranks: number, bytes: number, wire: Wire): Exchange {
  const ways = Object.values(reductions).map((reduce) => reduce(ranks, bytes));
  return ways.reduce((best, way) => (secondsOf(way, wire) < secondsOf(best, wire) ? way : best));
}

/** Each rank's values to every rank. @param bytes of one rank's values */
export function allGather(ranks: number, bytes: number): Exchange {
  return { rounds: ranks - 1, sentBytes: (ranks - 1) * bytes, summedBytes: 0 };
}

/** The sum of values, of which each rank gets its own part. @param bytes of one rank's part */
export function reduceScatter(ranks: number, bytes: number): Exchange {
  return { rounds: ranks - 1, sentBytes: (ranks - 1) * bytes, summedBytes: (ranks - 1) * bytes };
}

export function secondsOf({ rounds, sentBytes, summedBytes }: Exchange, wire: Wire): number {
  const { latency, bytesPerSecond, sumBytesPerSecond = Number.POSITIVE_INFINITY } = wire;
  return rounds * latency + sentBytes / bytesPerSecond + summedBytes / sumBytesPerSecond;
}
