import type { Hint } from "../../errors.js";
import { suitedRecipe } from "../../recipes/recipes.js";
import type { LayerStatistics } from "../../runs/layer-statistics.js";
import type { RunConfig } from "../../runs/settings.js";
import type { GuessWatch } from "../../runs/state.js";
import type { Layers } from "./layers.js";
import type { FinishedEpoch, FinishedStep, Training, Watcher } from "./watcher.js";

/** Signs that a network doesn't learn: its loss is that of guessing, or it gives every picture the same answer. */

const TOLERANCE = 0.01; // of ln(classes)
const SMOOTHING = 0.9;
/** Steps in a row before it is said. */
const PATIENCE = 100;

/** Warns once when a network doesn't learn. */
export class Stall implements Watcher {
  readonly #training: Training;
  readonly #layers: Layers;
  #guessing: GuessWatch;

  constructor(training: Training, layers: Layers) {
    this.#training = training;
    this.#layers = layers;
    this.#guessing = training.state.guessing;
  }

  get state() {
    return { guessing: this.#guessing };
  }

  looksAfter(): boolean {
    return this.#isDue(this.#guessing.steps + 1);
  }

  async afterStep(step: FinishedStep): Promise<void> {
    const { config } = this.#training;
    this.#guessing = watchLoss(this.#guessing, step.result.loss, config.data.classes);
    if (!this.#isDue(this.#guessing.steps)) return;
    const layers = await this.#layers.measure(step);
    this.#warn(describeGuessing(this.#guessing, config.data.classes, layers));
  }

  afterEpoch({ isFlat }: FinishedEpoch): void {
    if (isFlat && !this.#guessing.told)
      this.#warn("the network is not learning: it gives every validation picture the same probabilities");
  }

  #isDue(steps: number): boolean {
    return steps >= PATIENCE && !this.#guessing.told;
  }

  #warn(problem: string): void {
    const { config, task } = this.#training;
    this.#guessing = { ...this.#guessing, told: true };
    task.report({ kind: "warning", problem, hints: waysOut(config) });
  }
}

export function watchLoss(watch: GuessWatch, loss: number, classes: number): GuessWatch {
  const smooth = watch.loss === null ? loss : SMOOTHING * watch.loss + (1 - SMOOTHING) * loss;
  const guessing = Math.log(classes);
  const steps = Math.abs(smooth - guessing) <= TOLERANCE * guessing ? watch.steps + 1 : 0;
  return { ...watch, loss: smooth, steps };
}

function describeGuessing({ steps }: GuessWatch, classes: number, layers: readonly LayerStatistics[]): string {
  const guessing = `ln ${classes} = ${Math.log(classes).toFixed(3)}, that of guessing`;
  return `the network is not learning: for ${steps} steps the loss has been within 1 % of ${guessing}${describeSilence(layers)}`;
}

function describeSilence(layers: readonly LayerStatistics[]): string {
  const silent = layers.flatMap(({ layer, silent }) =>
    silent !== null && silent > 0 ? [`${layer} ${(100 * silent).toFixed(0)} %`] : [],
  );
  return silent.length === 0 ? "" : `. Dead units (0 for a whole batch): ${silent.join(", ")}`;
}

/** Another recipe or rate where they were chosen by whoever began the run; the program stands by its own. */
function waysOut({ recipe, network, data }: RunConfig): readonly Hint[] {
  const { name, learningRate } = recipe;
  const suited = suitedRecipe(network);
  const own = name === suited.name && learningRate === suited.learningRate ? `, which recipe ${name} begins with` : "";
  const lower: readonly Hint[] = [
    { advice: `try a lower rate than ${learningRate}${own}`, option: "learningRate" },
    { advice: "have one suggested", call: "findLearningRate", options: { data: data.source } },
  ];
  return name === suited.name
    ? lower
    : [
        { advice: "try the recipe made for small sets and this network", option: "recipe", value: suited.name },
        ...lower,
      ];
}

/** Whether the probabilities of all pictures are the same, seen one picture after the other. */
export class AnswerSpread {
  readonly #lowest: number[] = [];
  readonly #highest: number[] = [];
  #pictures = 0;

  add(probabilities: Float64Array): void {
    this.#pictures++;
    probabilities.forEach((value, i) => {
      this.#lowest[i] = Math.min(this.#lowest[i] ?? value, value);
      this.#highest[i] = Math.max(this.#highest[i] ?? value, value);
    });
  }

  /** To a thousandth. */
  get isFlat(): boolean {
    return this.#pictures > 1 && this.#lowest.every((value, i) => (this.#highest[i] ?? value) - value < 1e-3);
  }
}
