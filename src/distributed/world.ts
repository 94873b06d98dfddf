/** Values that ranks add up: gradients in an engine's buckets, counts, losses. */
export type Summands = Float32Array | Float64Array;

/**
 * The processes that train one network together. Each has a rank, from 0 to `size` - 1, takes its share of every batch,
 * and updates by the same sums, so that all keep the same parameters. Every rank makes the same calls in the same
 * order; a call is answered once all ranks have made it.
 */
export interface World {
  readonly rank: number;
  readonly size: number;
  /** Replaces `values` on every rank by the sum over all ranks, added up in the same order on each: the same bits. */
  sum(values: Summands): Promise<void>;
  /** Replaces `values` on every rank by those of rank 0. */
  share(values: Summands): Promise<void>;
  close(): Promise<void>;
}

/** The world of one process. */
export const alone: World = {
  rank: 0,
  size: 1,
  sum: async () => {},
  share: async () => {},
  close: async () => {},
};
