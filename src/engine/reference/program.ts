import { AlexnetError } from "../../errors.js";
import type { Network } from "../../network/network.js";
import { type Parameter, parameterCount, parameterTable } from "../../network/parameters.js";
import type { Batch } from "../../network/picture.js";
import { inferShapes, volume } from "../../network/shapes.js";
import { classCount } from "../../network/transform.js";
import type { ComputeProgram } from "../compute.js";
import type {
  CompileOptions,
  ForwardOptions,
  GradientBucket,
  State,
  StepOptions,
  StepResult,
  UpdateOptions,
} from "../engine.js";
import { firstLayer, gradientBuckets } from "../program/walk.js";
import { prepareInput } from "./input.js";
import { countCorrect, crossEntropy, crossEntropyGradient, scoreGradient, softmax } from "./loss.js";
import { activationLengths, ForwardPass, TrainingPass } from "./passes.js";

/** A compiled network: float64 inside, float32 at the border. */
export class ReferenceProgram implements ComputeProgram {
  readonly batchSize: number;
  readonly memoryBytes: number;
  readonly buckets: readonly GradientBucket[];
  readonly #network: Network;
  readonly #options: CompileOptions;
  readonly #table: readonly Parameter[];
  readonly #classes: number;
  readonly #pass: ForwardPass;
  /** The first layer that runs. */
  readonly #first: number;
  readonly #probabilities: Float64Array; // (samples, classes)
  /** In the latest batch. */
  #samples = 0;
  readonly #training: { readonly pass: TrainingPass; readonly momentum: Float64Array } | undefined;

  constructor(network: Network, options: CompileOptions) {
    const { batchSize, mode } = options;
    this.batchSize = batchSize;
    this.memoryBytes = programBytes(network, options);
    this.#network = network;
    this.#options = options;
    this.#table = parameterTable(network);
    this.#classes = classCount(network);
    this.#first = firstLayer(network, options);
    this.#probabilities = new Float64Array(batchSize * this.#classes);
    if (mode === "train") {
      const pass = new TrainingPass(network, batchSize);
      this.#pass = pass;
      this.#training = { pass, momentum: new Float64Array(pass.parameters.length) };
      this.buckets = options.bucketBytes === undefined ? [] : this.#bucketsOf(pass);
    } else {
      this.#pass = new ForwardPass(network, batchSize);
      this.buckets = [];
    }
  }

  #bucketsOf({ gradients }: TrainingPass): readonly GradientBucket[] {
    const learns = (layer: string): boolean =>
      this.#table.some((own) => own.layer === layer && this.#options.multipliers?.[own.name]?.learningRate !== 0);
    return gradientBuckets(this.#network, this.#options, learns).map((layers) => {
      const own = this.#table.filter(({ layer }) => layers.includes(layer));
      const ends = own.map(({ offset, count }) => offset + count);
      return { layers, values: gradients.subarray(Math.min(...own.map(({ offset }) => offset)), Math.max(...ends)) };
    });
  }

  step(batch: Batch, options: StepOptions): StepResult {
    const { pass } = this.#trained("step");
    const result = this.forward(batch, { seed: options.seed });
    pass.backward(this.#samples, this.#first);
    if (Number.isFinite(result.loss)) this.update(options);
    return result;
  }

  forward(batch: Batch, { seed, samples: divisor = batch.views.length, firstSample }: ForwardOptions): StepResult {
    const { pass } = this.#trained("forward");
    const samples = batch.views.length;
    this.#forward(batch, seed, firstSample);
    softmax(pass.logits, this.#probabilities, samples, this.#classes);
    crossEntropyGradient(this.#probabilities, batch, pass.logitGradients, samples, this.#classes, divisor);
    return {
      loss: crossEntropy(pass.logits, batch, samples, this.#classes, divisor),
      correct: countCorrect(pass.logits, batch.labels, samples, this.#classes),
    };
  }

  backward(bucket: number): void {
    const [first, end] = [this.#firstLayerOf(bucket), bucket === 0 ? undefined : this.#firstLayerOf(bucket - 1)];
    this.#trained("backward").pass.backward(this.#samples, first, end);
  }

  predict(batch: Batch): Float32Array {
    const samples = batch.views.length;
    this.#forward(batch, undefined);
    softmax(this.#pass.logits, this.#probabilities, samples, this.#classes);
    return Float32Array.from(this.#probabilities.subarray(0, samples * this.#classes));
  }

  activation(name: string): Float32Array {
    const index = this.#network.layers.findIndex((layer) => layer.name === name);
    return this.#samplesOf(this.#pass.activations[index + 1]);
  }

  inputGradient(): Float32Array {
    return this.#samplesOf(this.#trained("input gradient").pass.inputGradient);
  }

  scoreGradient(batch: Batch): Float32Array {
    const { pass } = this.#trained("score gradient");
    this.#forward(batch, undefined);
    scoreGradient(batch.labels, pass.logitGradients, this.#classes);
    pass.backward(this.#samples, this.#first);
    return this.inputGradient();
  }

  profile(): never {
    throw new AlexnetError("engine", "reference: has no layer times to show; profile with another engine");
  }

  read(state: State): Float32Array {
    return Float32Array.from(this.#state(state));
  }

  write(state: "parameters" | "momentum", values: Float32Array): void {
    this.#state(state).set(values);
  }

  close(): void {
    // its memory goes with it
  }

  /** The part that the latest batch filled, of values for a whole batch. */
  #samplesOf(values: Float64Array): Float32Array {
    return Float32Array.from(values.subarray(0, (values.length / this.batchSize) * this.#samples));
  }

  #forward(batch: Batch, seed: number | undefined, firstSample?: number): void {
    this.#samples = batch.views.length;
    if (this.#first > 0) this.#pass.activations[this.#first].set(batch.activations ?? []);
    else prepareInput(batch, this.#options.preprocessing, this.#network.input.size, this.#pass.input);
    this.#pass.drawMasks(batch.views.length, seed, firstSample);
    this.#pass.forward(batch.views.length, this.#first);
  }

  /** The first layer that is worked on for a bucket; the last bucket goes down to the input. */
  #firstLayerOf(bucket: number): number {
    if (bucket === this.buckets.length - 1) return this.#first;
    const layers = this.buckets[bucket].layers;
    return this.#network.layers.findIndex(({ name }) => layers.includes(name));
  }

  /** v = momentum v - weightDecay lr w - lr g, w += v (paper section 5). */
  update(options: UpdateOptions): void {
    const { pass, momentum: velocity } = this.#trained("update");
    const { parameters, gradients } = pass;
    const left = new Set(this.#network.layers.slice(0, this.#first).map(({ name }) => name));
    for (const { name, layer, offset, count } of this.#table) {
      const multiplier = this.#options.multipliers?.[name];
      if (multiplier?.learningRate === 0 || left.has(layer)) continue; // momentum must not move it either
      const learningRate = options.learningRate * (multiplier?.learningRate ?? 1);
      const weightDecay = options.weightDecay * (multiplier?.weightDecay ?? 1);
      for (let i = offset; i < offset + count; i++) {
        velocity[i] =
          options.momentum * velocity[i] - weightDecay * learningRate * parameters[i] - learningRate * gradients[i];
        parameters[i] += velocity[i];
      }
    }
  }

  #state(state: State): Float64Array {
    if (state === "parameters") return this.#pass.parameters;
    const { pass, momentum } = this.#trained(state);
    return state === "momentum" ? momentum : pass.gradients;
  }

  #trained(what: string) {
    if (this.#training === undefined)
      throw new AlexnetError("engine", `${what}: compiled to predict; compile the network with mode "train"`);
    return this.#training;
  }
}

/** Bytes of a program's buffers. */
export function programBytes(
  network: Network,
  { batchSize, mode }: Pick<CompileOptions, "batchSize" | "mode">,
): number {
  const layers = inferShapes(network);
  const activations = activationLengths(layers).reduce((a, b) => a + b, 0);
  const masks = layers.reduce((sum, { layer, output }) => sum + (layer.kind === "dropout" ? volume(output) : 0), 0);
  const [perSample, perParameter] = mode === "train" ? [2 * activations, 3] : [activations, 1];
  const samples = batchSize * (perSample + masks + classCount(network));
  return Float64Array.BYTES_PER_ELEMENT * (samples + perParameter * parameterCount(network));
}
