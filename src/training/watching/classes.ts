import type { Hint } from "../../errors.js";
import { wilsonInterval } from "../../scoring/interval.js";
import { neverRecognised } from "../../scoring/scores.js";
import { countLabels } from "../../store/count-labels.js";
import { counted, enumerate, percent } from "../../text.js";
import type { Validation } from "../validation.js";
import type { Training } from "./watcher.js";

/** With fewer pictures than these a class is hardly learnt, and nobody can tell how well. */
const FEW_TO_LEARN_FROM = 20;
const FEW_TO_JUDGE_BY = 10;
/** Of an error's 95 % interval: with a wider one the best epoch is a matter of chance. */
const WIDE = 0.15;
/** So many times as many pictures in one class as in another are worth balancing. */
const UNBALANCED = 3;
const NAMED = 8;

/** Warns, once each, of what the numbers of pictures make of a run's figures. */
export class Classes {
  readonly #training: Training;

  constructor(training: Training) {
    this.#training = training;
  }

  /** Before a new run's first step. */
  begin(): void {
    const { store, config } = this.#training;
    if (config.data.val === 0)
      this.#warn("there are no validation pictures: nothing tells how well it does on pictures it was not trained on", [
        { advice: "keep some of a folder's", option: "valFraction", value: 0.1 },
      ]);
    const counts = { train: countByClass(store.labels("train"), store), val: countByClass(store.labels("val"), store) };
    const ways = this.#waysToBalance(counts.train);
    this.#warnOfFew("training", counts.train, FEW_TO_LEARN_FROM, "a class of so few is hardly learnt", ways);
    if (config.data.val > 0)
      this.#warnOfFew("validation", counts.val, FEW_TO_JUDGE_BY, "how well they are told apart is hardly known", []);
  }

  /** After a run's last epoch. @param best the epoch with the lowest error */
  end({ isFlat, perClass }: Validation, best: { readonly epoch: number; readonly error: number }): void {
    if (perClass.length === 0) return;
    const missed = isFlat ? [] : neverRecognised(perClass);
    const labels = this.#training.store.labels("train");
    if (missed.length > 0)
      this.#warn(
        `${counted(missed.length, "class", "classes")} of ${perClass.length} had no right answer in the last epoch's validation: ${named(missed, ({ name, samples }) => `${name} (0 of ${samples})`)}`,
        this.#waysToBalance(countByClass(labels, this.#training.store)),
      );
    const pictures = perClass.reduce((sum, { samples }) => sum + samples, 0);
    const { low, high } = wilsonInterval(Math.round(best.error * pictures), pictures);
    if (high - low > WIDE)
      this.#warn(
        `the best epoch, ${best.epoch}, was picked by ${counted(pictures, "validation picture")}: its error of ${percent(best.error)} may be anything from ${percent(low)} to ${percent(high)} (95 % interval), and epochs within that differ by chance`,
        [],
      );
  }

  #warnOfFew(what: string, counts: readonly ClassCount[], few: number, why: string, hints: readonly Hint[]): void {
    const small = counts.filter(({ count }) => count < few).sort((a, b) => a.count - b.count);
    if (small.length === 0) return;
    const which = small.length === counts.length ? `all ${counts.length}` : `${small.length} of ${counts.length}`;
    this.#warn(
      `${which} classes ${small.length === 1 ? "has" : "have"} fewer than ${few} ${what} pictures, and ${why}: ${named(small, ({ name, count }) => `${name} (${count})`)}`,
      hints,
    );
  }

  #waysToBalance(counts: readonly ClassCount[]): readonly Hint[] {
    const sizes = counts.map(({ count }) => count).filter((count) => count > 0);
    const isUneven = Math.max(...sizes) >= UNBALANCED * Math.min(...sizes);
    return isUneven && this.#training.config.balance === "none"
      ? [{ advice: "let each class weigh the same", option: "balance", value: "weights" }]
      : [];
  }

  #warn(problem: string, hints: readonly Hint[]): void {
    this.#training.task.report({ kind: "warning", problem, hints });
  }
}

interface ClassCount {
  readonly name: string;
  readonly count: number;
}

function countByClass(labels: Int32Array, { classes }: { readonly classes: readonly string[] }): readonly ClassCount[] {
  const counts = countLabels(labels, classes.length);
  return classes.map((name, label) => ({ name, count: counts[label] ?? 0 }));
}

function named<T>(rows: readonly T[], describe: (row: T) => string): string {
  return enumerate(rows.map(describe), NAMED);
}
