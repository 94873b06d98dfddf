/** Exact counts over a number of pictures. */
export interface Scores {
  readonly samples: number;
  /** Pictures whose class had the highest probability, and one of the five highest. */
  readonly top1Correct: number;
  readonly top5Correct: number;
  /** Mean cross-entropy, in nats. */
  readonly loss: number;
  /** Balanced accuracy: the mean of the classes' recall, each counting the same; see `macroScores`. */
  readonly meanRecall: number;
  /** The mean of the classes' F1. */
  readonly macroF1: number;
}

type Counts = Pick<Scores, "samples" | "top1Correct" | "top5Correct">;

export interface ClassScores extends Counts {
  readonly name: string;
  /** Pictures of any class that were taken for it. */
  readonly predicted: number;
  /** The class its pictures were most often taken for, of those they were wrongly taken for. */
  readonly takenFor: { readonly name: string; readonly count: number } | undefined;
}

/** Shares of pictures, 0 to 1, that the most probable class, or all of the five most probable, got wrong. */
export function errors({ samples, top1Correct, top5Correct }: Counts): {
  readonly top1: number;
  readonly top5: number;
} {
  const share = (correct: number): number => (samples === 0 ? 0 : (samples - correct) / samples);
  return { top1: share(top1Correct), top5: share(top5Correct) };
}

type ClassCounts = Pick<ClassScores, "samples" | "predicted" | "top1Correct">;

/** Of the pictures taken for a class, and of those that are of it, the share that is both; 0 of none. */
export function precisionAndRecall({ samples, predicted, top1Correct }: ClassCounts): {
  readonly precision: number;
  readonly recall: number;
} {
  const share = (of: number): number => (of === 0 ? 0 : top1Correct / of);
  return { precision: share(predicted), recall: share(samples) };
}

/** The harmonic mean of a class's precision and recall: 2 right / (pictures of it + pictures taken for it); 0 of none. */
export function f1({ samples, predicted, top1Correct }: ClassCounts): number {
  return samples + predicted === 0 ? 0 : (2 * top1Correct) / (samples + predicted);
}

/**
 * What the classes have on average, so that a rare one counts as much as a common one. Recall is of the classes that
 * there are pictures of; F1 also of those that a picture was taken for (as scikit-learn has it). 0 of none.
 */
export function macroScores(classes: readonly ClassCounts[]): Pick<Scores, "meanRecall" | "macroF1"> {
  const mean = (values: readonly number[]): number =>
    values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
  const seen = classes.filter(({ samples }) => samples > 0);
  return {
    meanRecall: mean(seen.map((row) => precisionAndRecall(row).recall)),
    macroF1: mean(classes.filter(({ samples, predicted }) => samples + predicted > 0).map(f1)),
  };
}

/** The classes that there are pictures of, none of which was recognised. */
export function neverRecognised(classes: readonly ClassScores[]): readonly ClassScores[] {
  return classes.filter(({ samples, top1Correct }) => samples > 0 && top1Correct === 0);
}

/** How many pictures of one class were taken for another, or for itself. */
export interface ConfusionCell {
  readonly label: number;
  readonly predicted: number;
  readonly count: number;
}

/** Counts how well probabilities match labels. */
export class Scorer {
  readonly #classes: readonly string[];
  readonly #confusion: Uint32Array; // (label, predicted); the last column: predicted nothing
  readonly #top5Correct: Uint32Array; // by label
  #lossSum = 0;

  constructor(classes: readonly string[]) {
    this.#classes = classes;
    this.#confusion = new Uint32Array(classes.length * (classes.length + 1));
    this.#top5Correct = new Uint32Array(classes.length);
  }

  /** `probabilities` has one value per class. */
  add(probabilities: Float32Array | Float64Array, label: number): void {
    const [predicted = this.#classes.length] = highest(probabilities, 1);
    countIn(this.#confusion, label * (this.#classes.length + 1) + predicted);
    if (highest(probabilities, 5).includes(label)) countIn(this.#top5Correct, label);
    const probability = probabilities[label] ?? 0;
    this.#lossSum -= Math.log(probability > 0 ? probability : Number.MIN_VALUE);
  }

  scores(): Scores {
    const classes = this.byClass();
    const sum = (key: "samples" | "top1Correct" | "top5Correct"): number =>
      classes.reduce((total, row) => total + row[key], 0);
    const samples = sum("samples");
    return {
      samples,
      top1Correct: sum("top1Correct"),
      top5Correct: sum("top5Correct"),
      loss: samples === 0 ? 0 : this.#lossSum / samples,
      ...macroScores(classes),
    };
  }

  byClass(): readonly ClassScores[] {
    const columns = this.#classes.length + 1;
    const predicted = new Uint32Array(columns);
    this.#confusion.forEach((count, i) => {
      countIn(predicted, i % columns, count);
    });
    return this.#classes.map((name, label) => {
      const row = this.#confusion.subarray(label * columns, (label + 1) * columns);
      const [taken = label] = highest(row.subarray(0, -1), 2).filter((predicted) => predicted !== label);
      const [mistaken, count = 0] = [this.#classes[taken], row[taken]];
      return {
        name,
        samples: row.reduce((total, value) => total + value, 0),
        top1Correct: row[label] ?? 0,
        top5Correct: this.#top5Correct[label] ?? 0,
        predicted: predicted[label] ?? 0,
        takenFor: count > 0 && taken !== label && mistaken !== undefined ? { name: mistaken, count } : undefined,
      };
    });
  }

  /** The cells of the confusion matrix that aren't 0, row by row. Pictures taken for nothing are in none. */
  confusion(): readonly ConfusionCell[] {
    const columns = this.#classes.length + 1;
    const cells: ConfusionCell[] = [];
    this.#confusion.forEach((count, i) => {
      const [label, predicted] = [Math.floor(i / columns), i % columns];
      if (count > 0 && predicted < this.#classes.length) cells.push({ label, predicted, count });
    });
    return cells;
  }
}

/**
 * The places of the `count` highest values, the highest first; of equal values the first counts as higher. A value
 * that isn't a number counts as lowest, so a broken network is never right by accident.
 */
export function highest(values: Float32Array | Float64Array | Uint32Array, count: number): readonly number[] {
  const best: { readonly place: number; readonly value: number }[] = [];
  for (const [place, value] of values.entries()) {
    const lowest = best.at(-1);
    if (best.length === count && !(lowest !== undefined && value > lowest.value)) continue;
    if (Number.isNaN(value)) continue;
    const rank = best.findIndex((other) => value > other.value);
    best.splice(rank < 0 ? best.length : rank, 0, { place, value });
    if (best.length > count) best.pop();
  }
  return best.map(({ place }) => place);
}

function countIn(counts: Uint32Array, place: number, more = 1): void {
  counts[place] = (counts[place] ?? 0) + more;
}
