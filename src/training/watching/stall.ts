import type { LayerStatistics } from "../../runs/layer-statistics.js";
import type { GuessWatch } from "../../runs/state.js";

/** Signs that a network doesn't learn: its loss is that of guessing, or it gives every picture the same answer. */

const TOLERANCE = 0.01; // of ln(classes)
const SMOOTHING = 0.9;
/** Steps in a row before it is said; again at each doubling. */
const PATIENCE = 100;

export function watchLoss(watch: GuessWatch, loss: number, classes: number): GuessWatch {
  const smooth = watch.loss === null ? loss : SMOOTHING * watch.loss + (1 - SMOOTHING) * loss;
  const guessing = Math.log(classes);
  return { loss: smooth, steps: Math.abs(smooth - guessing) <= TOLERANCE * guessing ? watch.steps + 1 : 0 };
}

export function isWorthAWarning({ steps }: GuessWatch): boolean {
  const times = steps / PATIENCE;
  return times >= 1 && Number.isInteger(Math.log2(times));
}

export function describeGuessing(
  { steps }: GuessWatch,
  classes: number,
  recipe: { readonly name: string; readonly learningRate: number },
  layers: readonly LayerStatistics[],
): string {
  return `the network is not learning: for ${steps} steps the loss has been within 1 % of ln ${classes} = ${Math.log(classes).toFixed(3)}, that of guessing; ${advice(recipe)}${describeSilence(layers)}`;
}

export function describeSameAnswers(recipe: { readonly name: string; readonly learningRate: number }): string {
  return `the network is not learning: it gives every validation picture the same probabilities; ${advice(recipe)}`;
}

function advice({ name, learningRate }: { readonly name: string; readonly learningRate: number }): string {
  const lower = `a lower --learning-rate (it is ${learningRate}; alexnet find-learning-rate suggests one)`;
  return name === "small" ? `try ${lower}` : `try --recipe small, or ${lower}`;
}

function describeSilence(layers: readonly LayerStatistics[]): string {
  const silent = layers.filter((layer) => layer.silent !== null && layer.silent > 0);
  if (silent.length === 0) return "";
  return `. Outputs that are 0 for a whole batch: ${silent.map((layer) => `${layer.layer} ${(100 * (layer.silent ?? 0)).toFixed(0)} %`).join(", ")}`;
}

/** Whether the probabilities of all pictures are the same, seen one picture after the other. */
export class AnswerSpread {
  #lowest: Float64Array | undefined;
  #highest: Float64Array | undefined;
  #pictures = 0;

  add(probabilities: Float64Array): void {
    this.#pictures++;
    const lowest = this.#lowest ?? probabilities;
    const highest = this.#highest ?? probabilities;
    this.#lowest = probabilities.map((value, i) => Math.min(lowest[i] ?? value, value));
    this.#highest = probabilities.map((value, i) => Math.max(highest[i] ?? value, value));
  }

  /** To a thousandth. */
  get isFlat(): boolean {
    const [lowest, highest] = [this.#lowest, this.#highest];
    if (lowest === undefined || highest === undefined || this.#pictures < 2) return false;
    return lowest.every((value, i) => (highest[i] ?? value) - value < 1e-3);
  }
}
