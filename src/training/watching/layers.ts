import { AlexnetError } from "../../errors.js";
import type { Network } from "../../network/network.js";
import { parameterTable, parameterView } from "../../network/parameters.js";
import type { LayerStatistics } from "../../runs/layer-statistics.js";
import type { FinishedStep, StepUnderWay, Training, Watcher } from "./watcher.js";

/** Measures every layer's weights and gradients after an epoch's last step; what overflowed there ends the run. */
export class Layers implements Watcher {
  readonly #training: Training;
  #layers: readonly LayerStatistics[];

  constructor(training: Training) {
    this.#training = training;
    this.#layers = training.state.layers;
  }

  get state() {
    return { layers: this.#layers };
  }

  looksAfter({ isLastOfEpoch }: StepUnderWay): boolean {
    return isLastOfEpoch;
  }

  async afterStep(step: FinishedStep): Promise<void> {
    if (step.isLastOfEpoch) await this.measure(step);
  }

  /**
   * Looks at the program, which must stand still, and tells what it saw.
   * @throws AlexnetError "not-finite" naming the layer whose gradient was the first to overflow
   */
  async measure({ step, epoch }: Pick<FinishedStep, "step" | "epoch">): Promise<readonly LayerStatistics[]> {
    const { program, config, folder, task } = this.#training;
    const { network } = config;
    const parameters = await program.read("parameters");
    const layers = measureLayers(network, parameters, await program.read("gradients"));
    // gradients go from the last layer to the first
    const broken = layers.findLast(({ weightNorm, gradientNorm }) => !Number.isFinite(weightNorm + gradientNorm));
    if (broken !== undefined)
      throw new AlexnetError(
        "not-finite",
        `${folder.path}: the gradient of ${broken.layer} was the first to overflow, by step ${step} (epoch ${epoch})`,
      );
    this.#layers = layers;
    const [first] = parameterTable(network);
    if (first !== undefined) {
      const filters = { shape: first.shape, values: Array.from(parameterView(parameters, first)) };
      task.report({ kind: "layers", step, layers, filters });
    }
    return layers;
  }
}

/** The statistics of each layer with parameters; both arrays are in the order of `parameterTable`. */
export function measureLayers(
  network: Network,
  parameters: Float32Array,
  gradients: Float32Array,
): readonly LayerStatistics[] {
  const table = parameterTable(network);
  return [...new Set(table.map(({ layer }) => layer))].map((layer) => {
    const own = table.filter((parameter) => parameter.layer === layer);
    const norm = (values: Float32Array): number =>
      Math.sqrt(own.reduce((sum, parameter) => sum + squares(parameterView(values, parameter)), 0));
    const bias = own.find(({ role }) => role === "bias");
    const silent = bias !== undefined && isRectified(network, layer);
    return {
      layer,
      weightNorm: norm(parameters),
      gradientNorm: norm(gradients),
      silent: silent ? shareOfZeros(parameterView(gradients, bias)) : null,
    };
  });
}

/** Whether a ReLU sees the layer's outputs before another layer with weights does. */
function isRectified(network: Network, layer: string): boolean {
  const after = network.layers.slice(network.layers.findIndex(({ name }) => name === layer) + 1);
  return (
    after.find(({ kind }) => kind === "relu" || kind === "convolution" || kind === "fully-connected")?.kind === "relu"
  );
}

function squares(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return sum;
}

function shareOfZeros(values: Float32Array): number {
  let zeros = 0;
  for (const value of values) if (value === 0) zeros++;
  return zeros / values.length;
}
