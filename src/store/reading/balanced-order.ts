import { Purpose, permutation } from "../../random.js";

/** Which pictures an epoch shows, in order. */
export interface EpochOrder {
  /** Their indices in the split. */
  readonly samples: Uint32Array;
  /** For each, what keys its augmentation: it sees a picture otherwise each time. Default: the epoch for all. */
  readonly rounds?: Uint32Array;
}

/**
 * As many pictures as there are, each class as often as every other. A class's pictures are shown in rounds: each once, in
 * an order of its own, before any comes again. Rounds go on from epoch to epoch, so that of a class with more pictures
 * than its share all are seen in the end. By epoch e, class k of K has had floor((e n + k) / K) of the e n places, which
 * add up to all of them.
 */
export function balancedOrder(
  labels: Int32Array,
  { seed, epoch }: { readonly seed: number; readonly epoch: number },
): EpochOrder {
  const count = labels.length;
  const members = new Map<number, number[]>();
  for (const [sample, label] of labels.entries()) {
    const known = members.get(label);
    if (known === undefined) members.set(label, [sample]);
    else known.push(sample);
  }
  const classes = [...members].sort(([a], [b]) => a - b);
  const drawn: { readonly sample: number; readonly round: number }[] = [];
  for (const [place, [label, own]] of classes.entries()) {
    const placesBy = (epochs: number): number => Math.floor((epochs * count + place) / classes.length);
    let order: Uint32Array = new Uint32Array();
    for (let i = placesBy(epoch); i < placesBy(epoch + 1); i++) {
      const [round, at] = [Math.floor(i / own.length), i % own.length];
      if (at === 0 || order.length === 0) order = permutation(own.length, seed, Purpose.balance, label, round);
      drawn.push({ sample: own[order[at] ?? 0] ?? 0, round });
    }
  }
  const shuffled = Array.from(permutation(count, seed, Purpose.shuffle, epoch), (place) => drawn[place]);
  return {
    samples: Uint32Array.from(shuffled, (one) => one?.sample ?? 0),
    rounds: Uint32Array.from(shuffled, (one) => one?.round ?? 0),
  };
}
